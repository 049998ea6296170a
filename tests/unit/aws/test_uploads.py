"""What is there is not sent again; a cut costs at most one part; what arrives is what was sent."""

import hashlib
import os
import socketserver
import subprocess
import sys
import threading
import time

import pytest
from botocore.awsrequest import AWSResponse
from tests.cloud.aws import ACCOUNT, REGION, account, bed
from tests.cloud.watch import Watch

from marfa.aws import multipart, uploads
from marfa.aws.client import Cloud
from marfa.errors import ChecksumError, DataError, GoneError, NetworkError

__all__ = ["account", "bed"]

PART = multipart.PART


@pytest.fixture
def raw(bed):
    """S3 as somebody else uses it."""
    return bed.session().client("s3")


@pytest.fixture
def bucket(raw):
    raw.create_bucket(Bucket="parcels", CreateBucketConfiguration={"LocationConstraint": REGION})
    return "parcels"


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def session(bed, watch):
    return watch.over(bed.session())


@pytest.fixture
def cloud(bed, session):
    return bed.cloud(session)


def some(size, seed=7):
    """Bytes of which no part is like another."""
    return b"".join((seed + i).to_bytes(8, "big") for i in range(-(-size // 8)))[:size]


class Ears:
    """Hears the progress."""

    def __init__(self):
        self.heard = []

    def bar(self, title, total, unit=""):
        self.total, self.unit = total, unit
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, done, note="", total=None):
        self.heard.append(done)


def fetched(raw, bucket, key):
    return raw.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_small_thing_goes_in_one_request(cloud, raw, bucket, watch):
    parcel = uploads.pack("code", b"a small zip", ".zip")
    sent = uploads.send(cloud, bucket, parcel)
    assert fetched(raw, bucket, parcel.key) == b"a small zip"
    assert sent.size == 11
    assert watch.calls["PutObject"] == 1
    assert watch.calls["CreateMultipartUpload"] == 0


def test_an_empty_thing_can_be_sent(cloud, raw, bucket):
    parcel = uploads.pack("site", b"", "/empty.css", "text/css")
    assert uploads.send(cloud, bucket, parcel).size == 0
    assert raw.head_object(Bucket=bucket, Key=parcel.key)["ContentType"] == "text/css"


def test_a_large_file_goes_in_parts(cloud, raw, bucket, watch, tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(some(2 * PART + 1000))
    parcel, ears = uploads.pack("models", path, ".tar.gz"), Ears()
    uploads.send(cloud, bucket, parcel, ears)
    assert fetched(raw, bucket, parcel.key) == path.read_bytes()
    assert watch.calls["UploadPart"] == 3
    assert ears.heard == sorted(ears.heard)
    assert (ears.heard[-1], ears.total, ears.unit) == (parcel.size, parcel.size, "B")
    assert uploads.unfinished(cloud, bucket) == []


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART])
def test_sizes_around_a_part_arrive_whole(cloud, raw, bucket, size):
    parcel = uploads.pack("models", some(size), ".tar.gz")
    uploads.send(cloud, bucket, parcel)
    assert fetched(raw, bucket, parcel.key) == parcel.body


def test_every_call_names_the_account_that_the_bucket_must_belong_to(cloud, bucket, watch):
    for parcel in (uploads.pack("a", b"1", ""), uploads.pack("b", some(PART), "")):
        uploads.missing(cloud, bucket, [parcel])
        uploads.send(cloud, bucket, parcel)
    uploads.unfinished(cloud, bucket)
    uploads.empty(cloud, bucket)
    assert watch.owners == {ACCOUNT}


def test_what_is_there_in_its_full_size_is_not_missing(cloud, raw, bucket):
    there, short, absent = (uploads.pack("code", bytes([i]) * 10, ".zip") for i in range(3))
    uploads.send(cloud, bucket, there)
    raw.put_object(Bucket=bucket, Key=short.key, Body=b"12345")
    assert uploads.missing(cloud, bucket, [there, short, absent]) == [short, absent]
    assert uploads.missing(cloud, "", [there]) == [there]


CHILD = """
import sys
from pathlib import Path
from marfa.aws import uploads
from marfa.aws.client import Cloud
parcel = uploads.pack("models", Path(sys.argv[2]), ".tar.gz")
print("ready", flush=True)
uploads.send(Cloud(), sys.argv[1], parcel, max_kbps=int(sys.argv[3]))
"""


def test_after_a_kill_another_process_sends_only_what_is_not_there(
    cloud, raw, bucket, watch, tmp_path
):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(some(4 * PART + 12345))
    parcel = uploads.pack("models", path, ".tar.gz")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, bucket, str(path), "80000"],  # 10 MB/s: half a second a part
        stdout=subprocess.PIPE,
        env={**os.environ},
    )
    with child:
        assert child.stdout.readline() == b"ready\n"
        there = []
        while len(there) < 2:
            time.sleep(0.05)
            for upload in raw.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
                place = {"Bucket": bucket, "Key": parcel.key, "UploadId": upload["UploadId"]}
                there = raw.list_parts(**place).get("Parts", [])
        child.kill()
    assert child.returncode == -9
    there = raw.list_parts(**place)["Parts"]
    assert 2 <= len(there) < 5, "the child was to be killed in the middle"

    sent = uploads.send(cloud, bucket, parcel)

    assert fetched(raw, bucket, parcel.key) == path.read_bytes()
    left = parcel.size - sum(part["Size"] for part in there)
    assert sent.size == watch.sent["UploadPart"] == left
    assert watch.calls["CreateMultipartUpload"] == 0


def begin(raw, bucket, parcel, **parts):
    """Leave an unfinished upload whose parts are these."""
    upload = raw.create_multipart_upload(Bucket=bucket, Key=parcel.key, ChecksumAlgorithm="SHA256")[
        "UploadId"
    ]
    for name, content in parts.items():
        raw.upload_part(
            Bucket=bucket,
            Key=parcel.key,
            UploadId=upload,
            PartNumber=int(name.removeprefix("p")),
            Body=content,
        )
    return upload


def test_a_part_that_is_short_or_holds_other_bytes_is_replaced(cloud, raw, bucket, watch):
    body = some(3 * PART + 10)
    parcel = uploads.pack("models", body, ".tar.gz")
    altered = bytearray(body[PART : 2 * PART])
    altered[1000] ^= 1
    begin(
        raw,
        bucket,
        parcel,
        p1=body[:PART],  # good
        p2=bytes(altered),
        p3=body[2 * PART : 3 * PART - 1],  # short
        p9=b"nobody's",
    )
    sent = uploads.send(cloud, bucket, parcel)
    assert fetched(raw, bucket, parcel.key) == body
    assert sent.size == watch.sent["UploadPart"] == 2 * PART + 10


def test_the_checksum_of_a_part_decides_where_it_is_told(cloud, raw, bucket, session, watch):
    body = some(3 * PART)
    contents = [body[at : at + PART] for at in range(0, len(body), PART)]
    parcel = uploads.pack("models", body, ".tar.gz")
    begin(raw, bucket, parcel, p1=contents[0], p2=contents[1], p3=contents[2])

    def tell(parsed, **_):  # as S3 does, and moto does not
        contents[1] = b"other bytes"
        for part, content in zip(parsed["Parts"], contents, strict=True):
            part["ETag"] = part["ETag"].upper()  # encrypted with a key of one's own, it is no MD5
            part["ChecksumSHA256"] = multipart.encoded(hashlib.sha256(content).digest())

    def lower(params, **_):
        for part in params["MultipartUpload"]["Parts"]:
            part["ETag"] = part["ETag"].lower()

    session.events.register("after-call.s3.ListParts", tell)
    session.events.register("provide-client-params.s3.CompleteMultipartUpload", lower)
    uploads.send(cloud, bucket, parcel)
    assert fetched(raw, bucket, parcel.key) == body
    assert watch.calls["UploadPart"] == 1


def test_the_newest_upload_is_gone_on_with_and_older_ones_are_thrown_away(
    cloud, raw, bucket, watch
):
    body = some(2 * PART)
    parcel = uploads.pack("models", body, ".tar.gz")
    begin(raw, bucket, parcel)
    begin(raw, bucket, parcel, p1=body[:PART])
    uploads.send(cloud, bucket, parcel)
    assert watch.sent["UploadPart"] == PART
    assert uploads.unfinished(cloud, bucket) == []


def test_an_upload_of_a_longer_name_or_of_another_kind_is_left_alone(cloud, raw, bucket):
    body = some(PART)
    parcel = uploads.pack("models", body, "")
    longer = raw.create_multipart_upload(
        Bucket=bucket, Key=parcel.key + ".bak", ChecksumAlgorithm="SHA256"
    )
    foreign = raw.create_multipart_upload(Bucket=bucket, Key=parcel.key)
    uploads.send(cloud, bucket, parcel)
    left = {upload.id for upload in uploads.unfinished(cloud, bucket)}
    assert left == {longer["UploadId"], foreign["UploadId"]}


class Gone:
    """How S3 answers for an upload that is not there any more; moto fails over it instead."""

    def __init__(self, meanwhile):
        self.meanwhile = meanwhile

    def __call__(self, request, **_):
        if self.meanwhile is None:
            return None
        self.meanwhile()
        self.meanwhile = None
        return AWSResponse(request.url, 404, {}, self)

    def stream(self):
        yield b"<Error><Code>NoSuchUpload</Code><Message>It does not exist.</Message></Error>"


@pytest.mark.parametrize("moment", ["ListParts", "UploadPart", "CompleteMultipartUpload"])
def test_parts_that_are_thrown_away_meanwhile_are_sent_again(cloud, raw, bucket, session, moment):
    body = some(2 * PART)
    parcel = uploads.pack("models", body, ".tar.gz")
    place = {"Bucket": bucket, "Key": parcel.key, "UploadId": begin(raw, bucket, parcel)}
    gone = Gone(lambda: raw.abort_multipart_upload(**place))
    session.events.register(f"before-send.s3.{moment}", gone)
    uploads.send(cloud, bucket, parcel)
    assert fetched(raw, bucket, parcel.key) == body


@pytest.mark.parametrize("moment", ["UploadPart", "CompleteMultipartUpload"])
def test_somebody_else_may_join_the_parts_first(bed, cloud, raw, bucket, session, moment):
    body = some(2 * PART)
    parcel = uploads.pack("models", body, ".tar.gz")
    gone = Gone(lambda: uploads.send(bed.cloud(), bucket, parcel))
    session.events.register(f"before-send.s3.{moment}", gone)
    assert uploads.send(cloud, bucket, parcel).size == 0
    assert fetched(raw, bucket, parcel.key) == body
    assert uploads.unfinished(cloud, bucket) == []


def test_a_file_that_changes_meanwhile_is_not_sent(cloud, raw, bucket, tmp_path):
    path = tmp_path / "model.tar.gz"
    for size in (10, PART + 10):
        path.write_bytes(some(size))
        parcel = uploads.pack("models", path, ".tar.gz")
        path.write_bytes(some(size, seed=8))
        with pytest.raises(DataError, match="changed between being measured and being sent"):
            uploads.send(cloud, bucket, parcel)
        assert uploads.missing(cloud, bucket, [parcel]) == [parcel]
    assert uploads.unfinished(cloud, bucket) == []


def test_a_file_that_cannot_be_read_is_said(cloud, bucket, tmp_path):
    path = tmp_path / "model.tar.gz"
    with pytest.raises(Exception, match=r"model.tar.gz: cannot be read or written"):
        uploads.pack("models", path, ".tar.gz")
    path.write_bytes(b"1")
    parcel = uploads.pack("models", path, ".tar.gz")
    path.unlink()
    with pytest.raises(Exception, match=r"model.tar.gz: cannot be read or written"):
        uploads.send(cloud, bucket, parcel)


@pytest.mark.parametrize("size", [100, PART + 100])
def test_other_bytes_in_the_bucket_are_found_and_removed(cloud, raw, bucket, session, size):
    parcel = uploads.pack("models", some(size), ".tar.gz")

    def alter(**_):
        other = some(size, seed=8)
        raw.put_object(Bucket=bucket, Key=parcel.key, Body=other, ChecksumAlgorithm="SHA256")

    session.events.register("before-send.s3.HeadObject", alter)
    with pytest.raises(ChecksumError, match="other bytes than were sent"):
        uploads.send(cloud, bucket, parcel)
    assert raw.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_server_that_tells_no_checksum_is_believed_for_size_and_mark(cloud, bucket, session):

    def strip(parsed, **_):
        parsed.pop("ChecksumSHA256", None)

    session.events.register("after-call.s3.HeadObject", strip)
    uploads.send(cloud, bucket, uploads.pack("models", b"12", ".tar.gz"))


def test_the_rate_holds_on_the_wire(bucket, session):
    parcel = uploads.pack("models", some(500_000), ".tar.gz")
    sent = uploads.send(Cloud(session=session), bucket, parcel, max_kbps=4000)
    assert sent.seconds >= 0.9  # a busy machine may well be slower


def test_parts_share_one_rate(bucket, session):
    parcel = uploads.pack("models", some(2 * PART), ".tar.gz")
    sent = uploads.send(Cloud(session=session), bucket, parcel, max_kbps=80_000)
    assert 0.9 * parcel.size / 10_000_000 <= sent.seconds


class Breaking(socketserver.BaseRequestHandler):
    """Hangs up as soon as somebody calls."""

    def handle(self):
        pass


def test_a_line_that_breaks_says_that_the_same_command_goes_on(bucket, monkeypatch):
    parcel = uploads.pack("code", b"1", ".zip")
    with socketserver.TCPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(NetworkError) as caught:
            uploads.send(Cloud(attempts=1), bucket, parcel)
        server.shutdown()
    assert caught.value.exit_code == 4
    assert "run the same command again; it goes on where it was" in caught.value.hint


def test_a_bucket_that_is_not_there_is_said(cloud):
    for size in (10, PART):
        with pytest.raises(GoneError):
            uploads.send(cloud, "nowhere", uploads.pack("code", some(size), ".zip"))
