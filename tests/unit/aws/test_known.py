"""What came with boto3 is read as it is."""

from tests.cloud import model

from marfa.aws import known


def test_the_instance_types_are_those_of_the_service_model():
    assert list(known.choices(*known.INSTANCE_TYPES)) == model.shape(*known.INSTANCE_TYPES).enum


def test_regions_of_all_parts_of_aws_are_known():
    assert {"us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"} <= set(known.regions())
    assert "us-easst-1" not in known.regions()
