"""Fetching from the bucket: a cut costs one piece at most, and no half is ever taken for a whole."""

import pytest
from botocore.exceptions import ConnectTimeoutError
from tests.cloud.aws import account, bed
from tests.cloud.watch import Watch

from marfa.aws import downloads
from marfa.aws.bucket import Bucket
from marfa.console import Silence
from marfa.errors import NetworkError

__all__ = ["account", "bed"]

CONTENT = bytes(range(256)) * 40
PIECE = 1000


@pytest.fixture
def there(bed):
    s3 = bed.session().client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="bucket", Key="model.tar.gz", Body=CONTENT)
    return s3


def fetch(bed, target, session=None):
    bucket = Bucket(bed.cloud(session), "bucket")
    return downloads.fetch(bucket, "model.tar.gz", target, Silence(), piece=PIECE)


def test_an_object_comes_whole_in_pieces(bed, there, tmp_path):
    session = Watch().over(bed.session())
    assert fetch(bed, tmp_path / "new" / "m", session)
    assert (tmp_path / "new" / "m").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m"]


def test_what_is_not_there_is_nothing(bed, there, tmp_path):
    bucket = Bucket(bed.cloud(), "bucket")
    assert not downloads.fetch(bucket, "other", tmp_path / "m", Silence())
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_has_come_is_asked_for_again(bed, there, tmp_path):
    session, sent = bed.session(), []

    def cut(request, event_name, **_):
        if event_name.endswith("GetObject"):
            sent.append(request.headers["Range"])
            if len(sent) > 3:
                raise ConnectTimeoutError(endpoint_url=request.url)

    session.events.register("before-send", cut)
    with pytest.raises(NetworkError):
        fetch(bed, tmp_path / "m", session)
    assert not (tmp_path / "m").exists()
    watch = Watch()
    assert fetch(bed, tmp_path / "m", watch.over(bed.session()))
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert watch.calls["GetObject"] == -(-len(CONTENT) // PIECE) - 3


def test_a_half_of_what_was_there_before_is_not_joined_to_what_is_there_now(bed, there, tmp_path):
    session = bed.session()

    def cut(request, event_name, **_):
        if "bytes=2000" in str(request.headers.get("Range", "")):
            raise ConnectTimeoutError(endpoint_url=request.url)

    session.events.register("before-send", cut)
    with pytest.raises(NetworkError):
        fetch(bed, tmp_path / "m", session)
    there.put_object(Bucket="bucket", Key="model.tar.gz", Body=CONTENT[::-1])
    fetch(bed, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT[::-1]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
