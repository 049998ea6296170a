"""The data sets that marfa can fetch, and how each is known to be whole."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.data import imdb, shakespeare


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One file that is published somewhere.

    Attributes:
        file: its name here, and in a mirror.
        url: where it is published.
        size: bytes of the published file.
        sha256: its hash, or empty where its publishers tell only the other.
        md5: its hash, or empty.
        cite: what its authors ask users to cite.
    """

    file: str
    url: str
    size: int
    sha256: str = ""
    md5: str = ""
    cite: str

    @property
    def algorithm(self) -> str:
        """Return which hash is known of it."""
        return "sha256" if self.sha256 else "md5"

    @property
    def digest(self) -> str:
        """Return that hash."""
        return self.sha256 or self.md5


ORIGINS = {
    "imdb": Origin(
        file="aclImdb_v1.tar.gz",
        url=imdb.URL,
        size=imdb.SIZE,
        md5=imdb.MD5,
        cite=imdb.CITATION,
    ),
    "shakespeare": Origin(
        file="tinyshakespeare.txt",
        url=shakespeare.URL,
        size=shakespeare.SIZE,
        sha256=shakespeare.SHA256,
        cite=shakespeare.CITATION,
    ),
}
"""By the name that `data` gives."""
