"""Addresses: which are usable, how they are shown, where a redirect may lead. Nothing is sent."""

from __future__ import annotations

import ipaddress
import re
import string
import urllib.parse

from marfa.errors import NetworkError, SettingsError

_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


def is_public(address: str) -> bool:
    """Tell whether a numeric address is reachable by everyone, rather than local to some network.

    >>> is_public("9.9.9.9"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    number = ipaddress.ip_address(address.split("%")[0])
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return (mapped or number).is_global


def shown(url: str) -> str:
    """Write an address without what may be secret in it.

    >>> shown("https://me:secret@example.org:8443/a/b.gz?token=secret#top")
    'https://example.org:8443/a/b.gz'
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return "the address given"
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def checked(url: str) -> str:
    """Refuse an address that is not a complete http or https one.

    Returns:
        The address, with characters that may not travel in it percent-encoded.

    Raises:
        SettingsError: saying what is wrong with it.

    >>> checked("ftp://example.org/a")
    Traceback (most recent call last):
    marfa.errors.SettingsError: ftp://example.org/a: not an http or https address
    """
    try:
        parts = urllib.parse.urlsplit(url)
        name, port = parts.hostname or "", parts.port
        letters = name.encode("idna").decode("ascii")
    except ValueError:  # a port that is no number, half a bracket, a label too long
        letters = ""
    if not letters or parts.scheme not in ("http", "https") or _UNUSABLE.search(letters):
        message = "not an http or https address"
        raise SettingsError(message, where=shown(url), hint="give an http:// or https:// address")
    host = parts.netloc.rpartition("@")[2]
    if not name.isascii():
        host = letters if port is None else f"{letters}:{port}"
    login = "".join(parts.netloc.rpartition("@")[:2])
    path, query = (
        urllib.parse.quote(part, safe=string.punctuation, errors="replace")
        for part in (parts.path, parts.query)
    )
    return urllib.parse.urlunsplit((parts.scheme, login + host, path, query, ""))


def redirected(url: str, location: str, *, downgrade: bool) -> str:
    """Work out where a redirect leads.

    Args:
        url: the address that answered, checked.
        location: its Location header, as read.
        downgrade: from https to http is accepted.

    Returns:
        The next address, checked.

    Raises:
        NetworkError: if it leads anywhere but to http or https.

    >>> redirected("https://h/a/b", "../c d", downgrade=False)
    'https://h/c%20d'
    """
    try:
        found = urllib.parse.urljoin(url, location)
        # http.client reads headers as Latin-1; the bytes underneath are nearly always UTF-8
        found = checked(found.encode("latin-1", "replace").decode("utf-8", "replace"))
    except (SettingsError, ValueError):
        found = ""
    if not location or not found:
        message = f"redirected to {shown(location)!r}, which is not an http or https address"
        raise NetworkError(message, where=shown(url), hint="use --mirror")
    if not downgrade and url.startswith("https:") and found.startswith("http:"):
        message = f"redirected from https to the unprotected {shown(found)}"
        raise NetworkError(message, where=shown(url), hint="use --mirror")
    return found
