"""S3 on this machine, as marfa's own uploads meet it."""

import pytest

from marfa.aws import multipart, uploads
from marfa.errors import GoneError, NetworkError
from marfa.rehearsal.account import Account

LARGE = bytes(range(256)) * (3 * multipart.PART // 256) + b"the end"


def test_what_is_sent_is_there_and_is_not_sent_again():
    account = Account()
    parcels = [uploads.pack("code", b"small", ".zip"), uploads.pack("layers", LARGE, ".zip")]
    for parcel in parcels:
        uploads.send(account, "soup", parcel)
        assert account.storage.read(parcel.key) == parcel.body
    assert account.storage.received == len(LARGE) + 5
    assert uploads.missing(account, "soup", parcels) == []


@pytest.mark.parametrize("cut", [0, 1, multipart.PART, 2 * multipart.PART + 1, len(LARGE) - 1])
def test_a_cut_costs_at_most_one_part(cut):
    account = Account()
    parcel = uploads.pack("layers", LARGE, ".zip")
    account.storage.cut_after = cut
    with pytest.raises(NetworkError, match="cannot be reached"):
        uploads.send(account, "soup", parcel)
    whole = cut // multipart.PART * multipart.PART
    assert uploads.send(account, "soup", parcel).size == len(LARGE) - whole
    assert account.storage.read(parcel.key) == LARGE


def test_what_is_not_there_is_said():
    account = Account()
    with pytest.raises(GoneError):
        account.storage.read("code/none.zip")
    with pytest.raises(NotImplementedError, match="sts:get_caller_identity"):
        account.call("sts", "get_caller_identity")
