"""An emptied bucket can be deleted: nothing is left that a listing does not show."""

from datetime import datetime

import pytest
from tests.cloud import model
from tests.cloud.aws import REGION, account, bed

from marfa.aws import emptying
from marfa.errors import CloudError, NotPermittedError

__all__ = ["account", "bed"]


@pytest.fixture
def raw(bed):
    """S3 as somebody else uses it."""
    return bed.session().client("s3")


@pytest.fixture
def bucket(raw):
    raw.create_bucket(Bucket="parcels", CreateBucketConfiguration={"LocationConstraint": REGION})
    return "parcels"


@pytest.fixture
def cloud(bed):
    return bed.cloud()


def versioned(raw, bucket):
    status = {"Status": "Enabled"}
    raw.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=status)


def test_objects_versions_marks_and_unfinished_uploads_all_go(cloud, raw, bucket):
    raw.put_object(Bucket=bucket, Key="before", Body=b"1")
    versioned(raw, bucket)
    for body in (b"1", b"2", b"3"):
        raw.put_object(Bucket=bucket, Key="again", Body=body)
    raw.delete_object(Bucket=bucket, Key="again")
    for key in ("a", "b"):
        raw.create_multipart_upload(Bucket=bucket, Key=key)
    assert emptying.empty(cloud, bucket) == 1 + 3 + 1 + 2
    assert "Uploads" not in raw.list_multipart_uploads(Bucket=bucket)
    raw.delete_bucket(Bucket=bucket)  # which S3 refuses while anything is in it


def test_emptying_again_and_a_bucket_that_is_gone_are_success(cloud, raw, bucket):
    raw.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert [emptying.empty(cloud, bucket) for _ in range(2)] == [1, 0]
    raw.delete_bucket(Bucket=bucket)
    assert emptying.empty(cloud, bucket) == 0
    assert emptying.unfinished(cloud, bucket) == []


def test_unfinished_uploads_are_listed(cloud, raw, bucket):
    upload = raw.create_multipart_upload(Bucket=bucket, Key="models/a")["UploadId"]
    found = emptying.unfinished(cloud, bucket)
    assert [(each.key, each.id) for each in found] == [("models/a", upload)]
    assert isinstance(found[0].begun, datetime)


class S3:
    """Lists what it is given in pages, and keeps what it is told to keep."""

    account = "123456789012"

    def __init__(self, pages, kept=()):
        self.listed, self.kept, self.asked = pages, list(kept), []

    def pages(self, service, operation, **params):
        model.check(service, operation, params)
        yield from self.listed if operation == "list_object_versions" else []

    def call(self, service, operation, **params):
        model.check(service, operation, params)
        self.asked.append(params["Delete"]["Objects"])
        return {"Errors": self.kept} if self.kept else {}


def page(count):
    return {"Versions": [{"Key": f"k{i}", "VersionId": "null"} for i in range(count)]}


def test_many_are_deleted_a_thousand_at_a_time():
    s3 = S3([page(1000), page(1000), page(7)])
    assert emptying.empty(s3, "b") == 2007
    assert [len(objects) for objects in s3.asked] == [1000, 1000, 7]


def test_what_s3_keeps_is_said_though_it_answers_200():
    kept = [{"Key": f"k{i}", "Code": "InternalError", "Message": "We erred."} for i in range(5)]
    with pytest.raises(CloudError, match="S3 has kept k0, k1, k2 and 2 more: We") as caught:
        emptying.empty(S3([page(5)], kept), "b")
    assert (caught.value.code, caught.value.exit_code) == ("InternalError", 5)


def test_what_may_not_be_deleted_is_a_matter_of_rights():
    kept = [{"Key": "k0", "Code": "AccessDenied", "Message": "Access Denied"}]
    with pytest.raises(NotPermittedError, match="k0: Access Denied"):
        emptying.empty(S3([page(1)], kept), "b")
