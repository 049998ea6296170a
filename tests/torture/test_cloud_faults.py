"""A sample of the faults in each run of the tests, all in `make faults`; planted bugs turn it red."""

import itertools
import os
import sys

import pytest
from tests.cloud.deploying import account, bed
from tests.torture.cloud_faults import SHAPES, Point, Tally, Torture, report, timed, torture

from marfa.aws import inventory
from marfa.aws.names import Names
from marfa.stages.deploy import deploy
from marfa.stages.destroy import destroy

__all__ = ["account", "bed"]

EVERY = int(os.environ.get("FAULTS_EVERY", "157"))
"""Of all points, each so many-th is tried; 1 for all."""


OF_THE_PAGE = {
    *(("s3", "create_multipart_upload"), ("s3", "upload_part"), ("s3", "list_parts")),
    *(("s3", "complete_multipart_upload"), ("cloudfront", "list_tags_for_resource")),
}
"""Calls that no other shape makes."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_fails_the_same_again_goes_on_and_nothing_is_left(
    bed, model_path, tmp_path, shape, capsys
):
    it = Torture(bed, model_path, str(tmp_path))
    points = list(it.points(shape))
    first = [*SHAPES].index(shape)
    chosen = list(itertools.islice(points, first, None, EVERY))
    tally = Tally()
    seconds = timed(lambda: torture(it, chosen, tally, foreign_each=10 if EVERY > 1 else 50))
    with capsys.disabled():
        sys.stdout.write(f"\n{report(tally, seconds)}\n")
    assert tally.broken == []
    assert len(chosen) == len(points[first::EVERY]) > 0
    if shape == "page":
        assert it.calls(shape) >= OF_THE_PAGE


def planted(bed, model_path, tmp_path, point, **do):
    it = Torture(bed, model_path, str(tmp_path), {"deploy": deploy, "destroy": destroy, **do})
    list(it.points(point.shape))
    return it.survive(point, foreign=True)


def test_a_destroy_that_forgets_the_bucket_is_seen(bed, model_path, tmp_path):
    def forgetful(name, *, cloud):
        try:
            return destroy(name, cloud=cloud)
        finally:
            cloud.call("s3", "create_bucket", Bucket="marfa-soup-base-bucket-000000000000",
                       CreateBucketConfiguration={"LocationConstraint": cloud.region})  # fmt: skip

    broken = planted(
        bed, model_path, tmp_path, Point("lambda", "destroy", 9, "throttle"), destroy=forgetful
    )
    assert broken


def test_a_destroy_that_goes_by_names_alone_is_seen(bed, model_path, tmp_path):
    def grasping(name, *, cloud):
        found = destroy(name, cloud=cloud)
        for each in cloud.call(
            "logs", "describe_log_groups", logGroupNamePrefix="/aws/lambda/marfa-soup"
        )["logGroups"]:
            cloud.call("logs", "delete_log_group", logGroupName=each["logGroupName"])
        return found

    broken = planted(
        bed, model_path, tmp_path, Point("lambda", "destroy", 9, "denied"), destroy=grasping
    )
    assert broken.startswith("of others, gone")


def test_a_deploy_that_leaves_something_outside_its_stacks_is_seen(bed, model_path, tmp_path):
    numbers = itertools.count()

    def messy(*positional, cloud, **named):
        cloud.call("logs", "create_log_group", logGroupName=f"/marfa/{next(numbers)}")
        return deploy(*positional, cloud=cloud, **named)

    broken = planted(
        bed, model_path, tmp_path, Point("lambda", "deploy", 20, "die-before"), deploy=messy
    )
    assert broken


def test_a_teardown_that_deletes_the_configuration_first_is_seen(bed, model_path, tmp_path):
    """As the SageMaker SDK does it: cut between the two, it cannot find what it must delete any more."""

    def as_the_sdk(name, *, cloud):
        names = Names(name, cloud.region, cloud.account)
        found = cloud.call("sagemaker", "describe_endpoint", EndpointName=names.one)
        config = found["EndpointConfigName"]
        cloud.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config)
        cloud.call("sagemaker", "delete_endpoint_config", EndpointConfigName=config)
        cloud.call("sagemaker", "delete_endpoint", EndpointName=names.one)
        return destroy(name, cloud=cloud)

    broken = planted(
        bed, model_path, tmp_path, Point("endpoint", "destroy", 5, "die-before"), destroy=as_the_sdk
    )
    assert broken.startswith("it does not go on")


def test_a_kind_that_the_proof_does_not_know_is_seen(bed, model_path, tmp_path):
    """Without its function in the list, destroy would call it proved."""
    assert {kind.name for kind in inventory.KINDS} == {
        "endpoint", "stack", "HTTP API", "function", "layer", "endpoint configuration", "model",
        "distribution", "origin access control", "schedule", "log group", "bucket", "role",
        "training job", "transform job",
    }  # fmt: skip
