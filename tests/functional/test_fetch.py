"""fetch: only verified bytes get a name, wherever they come from."""

import hashlib
import http.server
import threading

import pytest

from marfa.errors import ChecksumError, DataError, NetworkError
from marfa.recipes import resolve
from marfa.stages.fetch import fetch

NAME = "aclImdb_v1.tar.gz"
CONTENT = b"an archive" * 1000


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(CONTENT).hexdigest()}  {NAME}\n")
    return folder


@pytest.fixture
def served(mirror):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=mirror)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def settings(tmp_path, **flags):
    return resolve("sentiment", {"workdir": str(tmp_path / "work"), **flags})


def test_each_data_set_is_fetched_by_its_name_and_lies_apart(tmp_path, mirror):
    text = b"To sea, to sea!\n" * 9
    (mirror / "tinyshakespeare.txt").write_bytes(text)
    with open(mirror / "SHA256SUMS", "a") as sums:
        sums.write(f"{hashlib.sha256(text).hexdigest()}  tinyshakespeare.txt\n")
    made = resolve("shakespeare", {"workdir": str(tmp_path / "work"), "mirror": str(mirror)})
    found = fetch(made)
    assert found["bytes"] == len(text)
    assert found["file"].endswith("raw/shakespeare/tinyshakespeare.txt")
    assert "Karpathy" in found["cite"]
    assert fetch(made)["kept"]


def test_a_mirror_folder_is_copied_once(tmp_path, mirror):
    first = fetch(settings(tmp_path, mirror=str(mirror)))
    assert (first["bytes"], first["kept"]) == (len(CONTENT), False)
    for other in mirror.iterdir():
        other.unlink()
    again = fetch(settings(tmp_path, mirror=str(mirror), preset="tutorial"))
    assert again == {**first, "kept": True}


def test_a_mirror_url_is_downloaded(tmp_path, served):
    assert fetch(settings(tmp_path, mirror=served))["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_what_was_fetched_is_a_mirror_for_the_next_machine(tmp_path, mirror):
    first = fetch(settings(tmp_path, mirror=str(mirror)))
    other = settings(
        tmp_path, mirror=str(tmp_path / "work" / "raw" / "imdb"), workdir=str(tmp_path / "b")
    )
    assert fetch(other)["sha256"] == first["sha256"]


@pytest.mark.parametrize("by", ["folder", "url"])
def test_bytes_that_differ_from_the_hash_get_no_name(tmp_path, mirror, served, by):
    (mirror / NAME).write_bytes(CONTENT[:-1] + b"X")
    where = str(mirror) if by == "folder" else served
    with pytest.raises(ChecksumError):
        fetch(settings(tmp_path, mirror=where))
    assert not (tmp_path / "work" / "raw" / "imdb" / NAME).exists()


@pytest.mark.parametrize("by", ["folder", "url"])
@pytest.mark.parametrize(
    ("sums", "expected"),
    [(None, "no SHA256SUMS"), ("", "no hash of"), ("nonsense\n", "line 1 is not")],
)
def test_a_mirror_without_its_hash_is_not_trusted(tmp_path, mirror, served, by, sums, expected):
    (mirror / "SHA256SUMS").unlink()
    if sums is not None:
        (mirror / "SHA256SUMS").write_text(sums)
    where = str(mirror) if by == "folder" else served
    with pytest.raises(DataError, match=expected):
        fetch(settings(tmp_path, mirror=where))


def test_a_mirror_that_is_not_there_or_empty(tmp_path, mirror):
    with pytest.raises(NetworkError, match="no such folder"):
        fetch(settings(tmp_path, mirror=str(tmp_path / "nowhere")))
    (mirror / NAME).unlink()
    with pytest.raises(NetworkError, match="does not hold"):
        fetch(settings(tmp_path, mirror=str(mirror)))


def test_offline_means_no_network(tmp_path):
    with pytest.raises(NetworkError, match="forbidden") as caught:
        fetch(settings(tmp_path, offline=True))
    assert caught.value.exit_code == 4
    assert "--mirror" in caught.value.hint


def test_a_damaged_copy_is_fetched_again(tmp_path, mirror):
    fetch(settings(tmp_path, mirror=str(mirror)))
    target = tmp_path / "work" / "raw" / "imdb" / NAME
    target.write_bytes(b"damaged")
    assert fetch(settings(tmp_path, mirror=str(mirror)))["kept"] is False
    assert target.read_bytes() == CONTENT


def test_texts_of_ones_own_need_no_fetching(tmp_path):
    assert fetch(settings(tmp_path, data="reviews.csv"))["file"] == "reviews.csv"
