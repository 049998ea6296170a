"""The rights that `--policy` prints are the calls that are made: every one of them, and no other."""

from fnmatch import fnmatchcase
from functools import partial

import pytest
from tests.cloud import job_bodies
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.deploying import account, bed, put, world
from tests.cloud.inventory import everything
from tests.cloud.recorder import Recorder

from marfa.aws import inventory, policies, statements, type_rights
from marfa.aws.names import Names
from marfa.aws.template import base
from marfa.aws.template.document import body
from marfa.aws.template.live import Live
from marfa.errors import MarfaError
from marfa.recipes import resolve
from marfa.settings import CloudSettings
from marfa.stages.destroy import destroy
from marfa.stages.renew import renew
from marfa.stages.rollback import rollback
from marfa.stages.score import score
from marfa.stages.status import status
from marfa.stages.train import train

__all__ = ["account", "bed", "put", "world"]

NAMES = Names("soup", "eu-west-1", "123456789012")
OWN_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/marfa:1"


def orphans(bed, target):
    """Leave everything of a deployment behind without a stack that holds it."""
    cf = bed.session().client("cloudformation")
    s3 = bed.session().client("s3")

    def kept(template):
        for each in template["Resources"].values():
            each["DeletionPolicy"] = "Retain"
        return body(template)

    cf.create_stack(
        StackName=NAMES.base, TemplateBody=kept(base.build(NAMES)),
        Capabilities=["CAPABILITY_NAMED_IAM"], Tags=NAMES.tags,
    )  # fmt: skip
    bed.settle()
    (output,) = cf.describe_stacks(StackName=NAMES.base)["Stacks"][0]["Outputs"]
    bucket = output["OutputValue"]
    for key in ("code.zip", "layer.zip"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"PK\x05\x06" + bytes(18))
    s3.create_multipart_upload(Bucket=bucket, Key="half")
    live = Live(
        names=NAMES, settings=CloudSettings(target=target, site=True), model="m", bucket=bucket,
        code="code.zip", layer="layer.zip", archive="m.tar.gz", image=OWN_IMAGE, page="site/1",
        leased=True,
    )  # fmt: skip
    cf.create_stack(
        StackName=NAMES.live, TemplateBody=kept(live.build()), Tags=NAMES.tags,
        Parameters=[{"ParameterKey": "LeaseEnd", "ParameterValue": "2027-01-01T14:00:00.000Z"}],
    )  # fmt: skip
    bed.settle()
    for name in (NAMES.live, NAMES.base):
        cf.delete_stack(StackName=name)
        bed.settle()


@pytest.mark.parametrize("target", ["lambda", "endpoint"])
def test_whatever_is_left_of_a_deployment_is_found_and_swept_up(bed, target):
    orphans(bed, target)
    before = everything(bed.session())
    assert before
    result = destroy("soup", cloud=bed.cloud())
    kinds = {each["kind"] for each in result["swept"]}
    assert kinds >= {
        "HTTP API",
        "function",
        "schedule",
        "log group",
        "bucket",
        "role",
        "distribution",
    }
    assert everything(bed.session()) == set()


def jobs(bed, model_path, tmp_path, recorded):
    """Train and score on SageMaker, and take jobs down that are at work."""
    job_bodies.MODEL["path"] = model_path
    chosen = {"preset": "sample", "deployment": "soup", "workdir": str(tmp_path / "jobs")}
    settings = resolve("sentiment", chosen, folder=None)
    (tmp_path / "rows.jsonl").write_text('{"text": "good"}\n')

    def trained(session, **more):
        cloud = bed.cloud(session)
        return train(
            resolve("sentiment", {**chosen, **more}, folder=None), on="sagemaker", cloud=cloud
        )

    def scored(session):
        place = {"on": "sagemaker", "settings": settings.cloud, "cloud": bed.cloud(session)}
        return score(model_path, tmp_path / "rows.jsonl", tmp_path / "out.jsonl", **place)

    recorded(trained)
    recorded(scored)
    recorded(lambda session: status("soup", cloud=bed.cloud(session)))
    recorded(lambda session: destroy("soup", cloud=bed.cloud(session)))
    for begun in (partial(trained, epochs=3), scored):
        session = bed.session()
        Recorder(session, Leaving("describe_training_job", "describe_transform_job"))
        with pytest.raises(KeyboardInterrupt):
            begun(session)
        recorded(lambda session: destroy("soup", cloud=bed.cloud(session)))


class Leaving:
    """Presses Ctrl-C at the first call of these operations."""

    def __init__(self, *operations):
        self._operations = operations

    def __call__(self, call):
        if call.operation in self._operations:
            raise KeyboardInterrupt


def outside(needed, granted):
    """Return what is needed, action and ARN, and not granted."""
    return {
        (action, arn)
        for action, arn in needed
        if not any(
            action in each["Action"] and any(fnmatchcase(arn, one) for one in resources(each))
            for each in granted
        )
    }


def resources(statement):
    return (
        [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
    )


def one_wrong(granted):
    """Yield the rights with one ARN that is of another deployment, for every ARN; and which it is."""
    for number, each in enumerate(granted):
        for place, arn in enumerate(resources(each)):
            if "marfa-soup" in arn:
                changed = [*resources(each)]
                changed[place] = arn.replace("marfa-soup", "marfa-soap")
                wrong = {**each, "Resource": changed}
                yield (arn, each["Action"][0]), [*granted[:number], wrong, *granted[number + 1 :]]


def test_the_rights_asked_for_are_the_calls_made(bed, put, model_path, tmp_path):
    made, needed = set(), set()

    def recorded(work, **named):
        session = bed.session()
        recorder = Recorder(session)
        try:
            work(session)
        finally:
            made.update(recorder.actions)
            needed.update(recorder.rights(REGION, ACCOUNT))

    def quietly(work):
        def tried(session):
            with pytest.raises(MarfaError):
                work(session)

        return tried

    def deployed(**chosen):
        recorded(lambda session: put(model_path, session=session, **chosen))

    bed.session().client("ecr").create_repository(repositoryName="marfa")
    recorded(quietly(lambda s: put(model_path, session=s, target="endpoint", image=OWN_IMAGE)))
    deployed(target="endpoint", site=True)
    deployed(target="endpoint", rate=7)
    deployed(how="plan")
    recorded(lambda session: status(cloud=bed.cloud(session)))
    recorded(lambda session: renew("soup", cloud=bed.cloud(session)))
    recorded(lambda session: rollback("soup", cloud=bed.cloud(session)))
    deployed(target="lambda", numpy="wheel")  # its layer is large enough to be sent in parts
    bed.conduct.fail("AWS::Lambda::Function", "update", times=2)  # and then the way back, too
    recorded(quietly(lambda session: put(model_path, session=session, memory=512)))
    deployed(memory=512)
    recorded(lambda session: destroy("soup", cloud=bed.cloud(session)))
    for target in ("lambda", "endpoint"):
        orphans(bed, target)
        recorded(lambda session: destroy("soup", cloud=bed.cloud(session)))
    jobs(bed, model_path, tmp_path, recorded)
    asked = set(statements.actions(policies.deployer(NAMES)))
    on_our_behalf = {action for each in type_rights.BASE_TYPES.values() for action in each}
    # no calls of their own: create_stack with a role and tags, delete_objects with a version
    passing = {"iam:PassRole", "s3:DeleteObjectVersion", "cloudformation:TagResource"}
    passing |= {"sagemaker:AddTags"}  # create_training_job, create_transform_job, create_model
    assert made - asked == set(), "calls without a right"
    assert asked - made - on_our_behalf - passing == set(), "rights without a call"

    granted = policies.deployer(NAMES)
    assert outside(needed, granted) == set(), "calls on what there is no right to"
    assert len({arn for _, arn in needed}) > 30
    unseen = {which for which, wrong in one_wrong(granted) if not outside(needed, wrong)}
    assert {action for _, action in unseen} == {"iam:PassRole"}, unseen


def test_every_kind_has_a_way_to_be_deleted():
    assert len({kind.name for kind in inventory.KINDS}) == len(inventory.KINDS) == 15
