"""What can go wrong, once: every class knows its exit code and its HTTP status.

A message says what was found and what was expected; `where` names the file, line or setting;
`hint` is what to type next. One place prints them (`cli`), one place answers with them
(`container.contract`); nobody else formats errors.
"""

from __future__ import annotations


class MarfaError(Exception):
    """A failure that marfa understands and can explain.

    Args:
        what: what was found and what was expected, one sentence without a final newline.
        where: file, line, URL or setting concerned; empty when there is none.
        hint: what to do next, preferably a command to type.

    >>> print(DataError("no column 'text'; found 'review'", where="a.csv", hint="--text-column review"))
    a.csv: no column 'text'; found 'review'
    """

    exit_code = 1
    http_status = 500
    title = "Internal error"
    refused = ""
    """Which kind of text a model declines, where that is what is wrong; see `marfa.predictor`."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class SettingsError(MarfaError):
    """A setting that does not exist, or whose value is outside its limits."""

    exit_code = 2
    title = "Wrong setting"


class MissingExtraError(SettingsError):
    """A part of marfa that was not installed is needed."""

    title = "Part not installed"


class DataError(MarfaError):
    """Input that cannot be used as it is."""

    exit_code = 3
    http_status = 422
    title = "Unusable data"


class ChecksumError(DataError):
    """Bytes that are not the expected bytes."""

    title = "Checksum differs"


class BundleError(DataError):
    """A model bundle that is incomplete, altered, or of another version."""

    http_status = 503
    title = "Unusable bundle"


class TrainingError(MarfaError):
    """Training that cannot go on, such as a loss that is no longer a number."""

    title = "Training stopped"


class NetworkError(MarfaError):
    """The line or the other side failed after retries; running again resumes."""

    exit_code = 4
    http_status = 502
    title = "Network failure"


class CloudError(MarfaError):
    """AWS refused, or something there is not as it should be.

    Args:
        code: AWS's own word for it, empty where there is none.
    """

    exit_code = 5
    http_status = 502
    title = "Refused by AWS"

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class GoneError(CloudError):
    """What was asked about does not exist, or no more."""

    title = "Not there"


class CredentialsError(CloudError):
    """No credentials for AWS, or none that it takes."""

    title = "No credentials"


class NotPermittedError(CloudError):
    """The credentials are good, but do not allow this."""

    title = "Not permitted"


class QuotaError(CloudError):
    """The account's limits do not allow this."""

    title = "Over a quota"


class LeftOverError(CloudError):
    """Something is left that should be gone."""

    title = "Something is left"


class JobError(CloudError):
    """A job has ended without a result: it failed, was stopped, or ran out of time."""

    exit_code = 1
    title = "Job without a result"


class CheckError(CloudError):
    """What was put live answered otherwise than it should, and was taken back."""

    exit_code = 1
    title = "Taken back"


class DiskFullError(MarfaError):
    """The disk has no room; nothing that was complete has been damaged."""

    exit_code = 28
    http_status = 507
    title = "Disk full"


class BusyError(MarfaError):
    """Another process is working in the same folder."""

    title = "Folder in use"


class StoppedError(MarfaError):
    """A signal asked to stop; the state is saved and the same command continues.

    Args:
        signal_number: the signal received; the exit code is 128 plus it, as shells expect.
    """

    title = "Stopped"

    def __init__(self, what: str, *, signal_number: int, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.exit_code = 128 + signal_number


class RequestError(MarfaError):
    """A request that cannot be answered as it was sent."""

    exit_code = 3
    http_status = 400
    title = "Bad request"


class DeclinedError(RequestError):
    """A text that the model declines to judge, and nothing else to answer.

    Args:
        refused: the kind, "" for a model that knows none.
    """

    http_status = 422
    title = "Unknown text"

    def __init__(self, what: str, *, where: str = "", hint: str = "", refused: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.refused = refused


class EmptyTextError(DeclinedError):
    """Nothing is left of the text after cleaning."""

    title = "Empty text"


class UnknownTextError(DeclinedError):
    """The text has words, but the model knows too few of them to judge it."""


class NotFoundError(RequestError):
    """No such address."""

    http_status = 404
    title = "Not found"


class MethodNotAllowedError(RequestError):
    """The address exists, but not with this method.

    Args:
        allow: the methods that it has, as the header `Allow` lists them.
    """

    http_status = 405
    title = "Method not allowed"

    def __init__(self, what: str, *, where: str = "", hint: str = "", allow: str = "GET") -> None:
        super().__init__(what, where=where, hint=hint)
        self.allow = allow


class NotAcceptableError(RequestError):
    """None of the media types that the client accepts can be produced."""

    http_status = 406
    title = "Not acceptable"


class TimeLimitError(RequestError):
    """The request took longer to arrive than the limit allows."""

    http_status = 408
    title = "Request timed out"


class TooLargeError(RequestError):
    """A body, a text or a batch over its limit."""

    http_status = 413
    title = "Too large"


class UnsupportedContentTypeError(RequestError):
    """A content type that this address does not read."""

    http_status = 415
    title = "Unsupported content type"


class UnsupportedCodingError(UnsupportedContentTypeError):
    """A body that was packed for the way; `Accept-Encoding` says that none is unpacked."""


class LongHeadersError(RequestError):
    """More headers than are read."""

    http_status = 431
    title = "Headers too large"


class OverloadedError(RequestError):
    """Too many requests at once; `Retry-After` says when to come back."""

    http_status = 503
    title = "Overloaded"


class EndpointError(CloudError):
    """The endpoint behind a function gave no answer that could be passed on."""

    title = "No usable answer"


class EndpointBusyError(EndpointError):
    """The endpoint behind a function is busy, or not ready yet."""

    http_status = 503
    title = "Busy"


class EndpointGoneError(EndpointError):
    """There is no endpoint behind the function, or no more."""

    http_status = 503
    title = "Endpoint not there"


class EndpointSilentError(EndpointError):
    """The endpoint behind a function did not answer in time."""

    http_status = 504
    title = "No answer in time"
