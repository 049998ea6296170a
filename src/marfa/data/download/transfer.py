"""The one door to HTTP: open an address, follow redirects with care, read bytes.

Failures of the line become `DroppedError` (worth another attempt); everything else that can go
wrong is a `NetworkError` or a `SettingsError` that says what to do.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import ipaddress
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from marfa import __version__
from marfa.data.download.address import checked, is_public, redirected, shown
from marfa.errors import NetworkError, SettingsError

CHUNK = 1 << 16
"""Bytes asked from the line at a time."""

REDIRECTS = 10
"""Redirects followed before giving up."""

TRICKLE = 1024
"""A connection that brings fewer bytes than this in a stall time is as good as dead."""

_REDIRECT = {301, 302, 303, 307, 308}


class DroppedError(NetworkError):
    """The line failed or the server was busy; another attempt may well succeed."""

    def __init__(self, what: str, *, where: str = "", after: float | None = None) -> None:
        super().__init__(what, where=where)
        self.after = after


@dataclass(frozen=True, kw_only=True)
class Line:
    """How to reach the network.

    Attributes:
        stall_seconds: how long no byte may come before the connection is given up.
        proxies: proxy per scheme; None means those of the system, an empty mapping none.
        is_public: tells public numeric addresses from local ones.
        downgrade: a redirect from https to http is followed; harmless only where a digest decides.
        clock: seconds that only go forward.
    """

    stall_seconds: float = 30.0
    proxies: Mapping[str, str] | None = None
    is_public: Callable[[str], bool] = is_public
    downgrade: bool = False
    clock: Callable[[], float] = time.monotonic


@dataclass
class Answer:
    """A server's answer, its body unread.

    Attributes:
        url: the address that answered, as it may be shown.
        status: HTTP status.
        headers: names in lower case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    _body: http.client.HTTPResponse
    _line: Line
    _since: float = field(default=0.0)
    _bytes: int = 0

    def read(self) -> bytes:
        """Read what has arrived, at most `CHUNK` bytes; empty at the end.

        Raises:
            DroppedError: if the line fails, stalls, or brings next to nothing.
        """
        with _translated(self.url):
            data = self._body.read1(CHUNK)
        now = self._line.clock()
        self._bytes += len(data)
        if now - self._since >= self._line.stall_seconds:
            if data and self._bytes < TRICKLE:
                message = f"only {self._bytes} bytes came in {now - self._since:.0f} s"
                raise DroppedError(message, where=self.url)
            self._since, self._bytes = now, 0
        return data


@contextlib.contextmanager
def open_url(url: str, headers: Mapping[str, str], line: Line) -> Iterator[Answer]:
    """Ask for an address, following redirects.

    From a public host no redirect leads to a local one: an answer from the internet must not make
    this machine ask its own network. The user's own mirror may be local.

    Args:
        url: http or https.
        headers: what to send beside the usual.
        line: how to reach the network.

    Yields:
        The answer, of any status but a redirect.

    Raises:
        SettingsError: if the address is no http or https address.
        DroppedError: if the line fails.
        NetworkError: if the certificate is wrong or a redirect is refused.
    """
    guarded = False
    url = checked(url)
    home = urllib.parse.urlsplit(url).netloc
    for _ in range(REDIRECTS + 1):
        door = _Door(line, guarded, shown(url))
        response = door.open(url, headers, home)
        try:
            if response.status not in _REDIRECT:
                names = {name.lower(): value for name, value in response.headers.items()}
                yield Answer(shown(url), response.status, names, response, line, line.clock())
                return
            url = redirected(url, response.headers.get("Location", ""), downgrade=line.downgrade)
            guarded = guarded or door.public
        finally:
            response.close()
    message = f"more than {REDIRECTS} redirects"
    raise NetworkError(message, where=shown(url), hint="check the address, or use --mirror")


class _Door:
    """One request to one host, watching which machine really answers."""

    def __init__(self, line: Line, guarded: bool, where: str) -> None:
        self.line = line
        self.guarded = guarded
        self.where = where
        self.public = True  # until seen otherwise: behind a proxy only the proxy knows

    def open(self, url: str, headers: Mapping[str, str], home: str) -> http.client.HTTPResponse:
        """Send the request; the password in an address goes to that host and to no other."""
        parts = urllib.parse.urlsplit(url)
        login, _, host = parts.netloc.rpartition("@")
        plain = urllib.parse.urlunsplit(parts._replace(netloc=host))
        request = urllib.request.Request(plain, headers=dict(headers))  # noqa: S310 - checked
        request.add_header("User-Agent", f"marfa/{__version__}")
        request.add_header("Accept-Encoding", "identity")
        if login and parts.netloc == home:
            token = base64.b64encode(urllib.parse.unquote(login).encode())
            request.add_header("Authorization", f"Basic {token.decode('ascii')}")
        self._admit_name(parts.hostname or "")
        opener = urllib.request.OpenerDirector()
        proxies = None if self.line.proxies is None else dict(self.line.proxies)
        opener.add_handler(urllib.request.ProxyHandler(proxies))
        opener.add_handler(_Handler(host, self._admit))
        with _translated(self.where):
            response: Any = opener.open(request, timeout=self.line.stall_seconds)
        assert isinstance(response, http.client.HTTPResponse)
        return response

    def _admit_name(self, host: str) -> None:
        if host == "localhost" or host.endswith(".localhost"):
            host = "127.0.0.1"
        with contextlib.suppress(ValueError):  # a name: known only once it is connected
            self._admit(str(ipaddress.ip_address(host)))

    def _admit(self, address: str) -> None:
        self.public = self.line.is_public(address)
        if self.guarded and not self.public:
            message = "a public server redirected to this local address, which is refused"
            raise NetworkError(message, where=self.where, hint="use --mirror")


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens connections that show the peer's address before anything is sent to it."""

    http_request = urllib.request.AbstractHTTPHandler.do_request_
    https_request = urllib.request.AbstractHTTPHandler.do_request_

    def __init__(self, host: str, admit: Callable[[str], None]) -> None:
        super().__init__()
        self._host = host
        self._admit = admit

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Plain, self._watch(request)), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Secure, self._watch(request)), request)

    def _watch(self, request: urllib.request.Request) -> Callable[[str], None]:
        """Behind a proxy the peer is the proxy, about which there is nothing to say."""
        return self._admit if request.host == self._host else lambda _: None


class _Plain(http.client.HTTPConnection):
    def __init__(self, admit: Callable[[str], None], host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._admit = admit

    def connect(self) -> None:
        super().connect()
        self._admit(self.sock.getpeername()[0])


class _Secure(http.client.HTTPSConnection):
    def __init__(self, admit: Callable[[str], None], host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._admit = admit

    def connect(self) -> None:
        super().connect()
        self._admit(self.sock.getpeername()[0])


@contextlib.contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn what the standard library raises into our own errors."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            detail = getattr(reason, "verify_message", "") or reason
            message = f"the server's certificate is refused: {detail}"
            hint = "check this machine's date and its network's login page, or use --mirror"
            raise NetworkError(message, where=where, hint=hint) from error
        if isinstance(reason, http.client.InvalidURL):
            message = "the address cannot be sent as it is"
            raise SettingsError(message, where=where, hint="check the address") from error
        if isinstance(reason, TimeoutError):
            message = "nothing came for too long"
        else:
            message = f"the line failed: {reason or type(reason).__name__}"
        raise DroppedError(message, where=where) from error
