"""Zips: equal content gives equal bytes, and Lambda can read it."""

import io
import zipfile

from marfa.aws import zips

MEMBERS = {"b/c.py": b"x = 1\n" * 100, "a": b"", "é.txt": "é".encode()}


def test_equal_members_in_any_order_give_equal_bytes():
    assert zips.pack(MEMBERS) == zips.pack(dict(reversed(MEMBERS.items())))


def test_every_member_can_be_read_by_all_and_has_no_time():
    with zipfile.ZipFile(io.BytesIO(zips.pack(MEMBERS))) as packed:
        assert {each.filename: packed.read(each) for each in packed.infolist()} == MEMBERS
        for each in packed.infolist():
            assert each.external_attr >> 16 == 0o100644
            assert each.date_time == (1980, 1, 1, 0, 0, 0)
            assert each.compress_type == zipfile.ZIP_DEFLATED
        assert packed.namelist() == sorted(MEMBERS)
