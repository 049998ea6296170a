"""The one door to AWS: every call passes here, and every failure leaves as an error of marfa's.

boto3 reads the user's credentials by itself, from the places where AWS's own tools keep them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from marfa import __version__
from marfa.errors import (
    CloudError,
    CredentialsError,
    GoneError,
    MarfaError,
    MissingExtraError,
    NetworkError,
    NotPermittedError,
    QuotaError,
    SettingsError,
)

_AGAIN = "run the same command again; it goes on where it was"
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_ATTEMPTS = 5

_GONE = re.compile(r"NotFound|NoSuch|NotExist|^404$")
_GONE_WORDS = re.compile(r"does not exist|Could not find|not found|doesn't exist", re.IGNORECASE)
_VALIDATION = {"ValidationError", "ValidationException"}
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|^403$|^Forbidden$")
_STALE = {
    *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId"),
    *("UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure", "InvalidToken"),
    *("RequestExpired", "MissingAuthenticationToken", "IncompleteSignature"),
}
_QUOTA = re.compile(r"LimitExceeded|QuotaExceeded|TooManyBuckets|LimitExceededException")
_BUSY = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable")


def _now() -> datetime:
    return datetime.now(UTC)


class Cloud:
    """One account in one region.

    Args:
        region: such as "eu-west-1"; what AWS's own configuration says if empty.
        profile: a profile of AWS's configuration; the default one if empty.
        session: a boto3 session; made from region and profile if not given.
        now: tells the time.
        sleep: waits some seconds.
        attempts: how often a call is tried at most.

    Attributes:
        region: where it is.
        partition: "aws", or the name of a part of AWS that stands apart, such as "aws-cn".

    Raises:
        MissingExtraError: if boto3 is not installed.
        SettingsError: if there is no such profile or region, or no region is named anywhere.
    """

    def __init__(
        self,
        region: str = "",
        profile: str = "",
        *,
        session: Any = None,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = _ATTEMPTS,
    ) -> None:
        self._session = session or _session(region, profile)
        self.now, self.sleep = now, sleep
        self._attempts = attempts
        self._clients: dict[str, Any] = {}
        self.region = str(self._session.region_name or "")
        if not self.region:
            message = "no region is named"
            raise SettingsError(
                message, where="region", hint="--region us-east-1, or aws configure"
            )
        self.partition = _partition(self._session, self.region)

    @cached_property
    def _identity(self) -> dict[str, Any]:
        return self.call("sts", "get_caller_identity")

    @property
    def account(self) -> str:
        """Return the number of the account that the credentials belong to."""
        return str(self._identity["Account"])

    @property
    def caller(self) -> str:
        """Return the ARN of whoever the credentials belong to."""
        return str(self._identity["Arn"])

    def offers(self, service: str) -> bool:
        """Say whether boto3 knows of a service in this region; asks nobody."""
        known = self._session.get_available_regions(service, partition_name=self.partition)
        return not known or self.region in known

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call.

        Args:
            service: as boto3 names it.
            operation: as boto3 names it, such as "create_stack".
            **parameters: as the service names them.

        Returns:
            The answer.

        Raises:
            GoneError: if what is asked about does not exist.
            NotPermittedError: if the credentials do not allow it.
            CredentialsError: if there are none, or they have expired.
            QuotaError: if the account's limits do not allow it.
            NetworkError: if the line fails, or AWS asks to come back later.
            CloudError: for any other refusal.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**parameters)
        except ClientError as error:
            raise _refused(service, operation, error.response) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise _failed(service, operation, error) from None
        return answer

    def content(
        self, service: str, operation: str, **parameters: Any
    ) -> tuple[dict[str, Any], bytes]:
        """Make a call whose answer is bytes, and read them all.

        Returns:
            The answer, and its bytes.

        Raises:
            NetworkError: also if the line fails while they come.
            MarfaError: as `call` does.
        """
        from botocore.exceptions import BotoCoreError

        answer = self.call(service, operation, **parameters)
        try:
            return answer, answer["Body"].read()
        except BotoCoreError as error:
            raise _failed(service, operation, error) from None

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Make a call, and go on as long as there are more pages of its answer.

        Raises:
            MarfaError: as `call` does.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            yield from self._client(service).get_paginator(operation).paginate(**parameters)
        except ClientError as error:
            raise _refused(service, operation, error.response) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise _failed(service, operation, error) from None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError

            config = Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": self._attempts},
                user_agent_extra=f"marfa/{__version__}",
            )
            try:
                self._clients[service] = self._session.client(service, config=config)
            except BotoCoreError as error:
                raise _failed(service, "client", error) from None
            except ValueError as error:  # what a variable or a file of AWS's names is no address
                hint = "write it as http://HOST:PORT, or leave it out: AWS's own is found without"
                raise SettingsError(str(error), where="AWS_ENDPOINT_URL", hint=hint) from None
        return self._clients[service]


def _session(region: str, profile: str) -> Any:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ConfigParseError
    except ImportError:
        message = "boto3 is needed for the cloud, and is not installed"
        raise MissingExtraError(message, hint="pip install 'marfa[aws]'") from None
    try:
        return boto3.Session(region_name=region or None, profile_name=profile or None)
    except ConfigParseError as error:  # `aws configure` would stumble over it, too
        hint = "mend that file: [default] or [profile NAME], then lines of NAME = VALUE"
        raise SettingsError(str(error), where="AWS's configuration", hint=hint) from None
    except BotoCoreError as error:
        raise SettingsError(
            str(error), where="profile", hint="aws configure list-profiles"
        ) from None


def _partition(session: Any, region: str) -> str:
    from botocore.exceptions import UnknownRegionError

    try:
        return str(session.get_partition_for_region(region))
    except UnknownRegionError:
        message = f"{region!r:.40} is no region"
        raise SettingsError(
            message, where="region", hint="such as us-east-1 or eu-west-1"
        ) from None


def _refused(service: str, operation: str, response: dict[str, Any]) -> MarfaError:
    """Turn the answer of a service that refused into the error that says what to do."""
    found = response.get("Error", {})
    code, words = str(found.get("Code", "")), str(found.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    where = f"{service}:{operation}"
    if code == "OptInRequired":
        message = "this account is not signed up for this service, or not for this region"
        hint = "enable it in the AWS console, or choose another --region"
        return NotPermittedError(message, where=where, hint=hint)
    if code in _STALE:
        message = f"AWS does not take these credentials ({code})"
        return CredentialsError(message, where=where, hint="aws sso login, or aws configure")
    if _DENIED.search(code):
        message = f"these credentials may not do this: {words or code}"
        return NotPermittedError(
            message, where=where, hint="ask for the rights that --policy prints"
        )
    if _GONE.search(code) or (code in _VALIDATION and _GONE_WORDS.search(words)):
        return GoneError(words or code, where=where, code=code)
    if _BUSY.search(code) or (status >= 500 and not _QUOTA.search(code)):
        message = f"AWS asks to come back later ({code or status})"
        return NetworkError(message, where=where, hint=_AGAIN)
    if _QUOTA.search(code):
        return QuotaError(words or code, where=where, hint="aws service-quotas, or another region")
    return CloudError(words or code or f"status {status}", where=where, code=code)


def _failed(service: str, operation: str, error: Exception) -> MarfaError:
    """Turn what boto3 itself found wrong into the error that says what to do."""
    from botocore import exceptions, parsers

    where = f"{service}:{operation}"
    assert not isinstance(error, exceptions.ParamValidationError), str(
        error
    )  # ours, not the user's
    if isinstance(error, exceptions.NoRegionError):
        return SettingsError("no region is named", where=where, hint="--region us-east-1")
    missing = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
        exceptions.UnauthorizedSSOTokenError,
    )
    if isinstance(error, missing):
        hint = "aws configure, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return CredentialsError(f"no credentials for AWS: {error}", where=where, hint=hint)
    # most failures of a line are of the one kind, and some of the other
    if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        message = f"AWS cannot be reached: {type(error).__name__}"
        return NetworkError(
            message, where=where, hint=f"check the line and --region; then {_AGAIN}"
        )
    if isinstance(error, exceptions.IncompleteReadError):
        return NetworkError("the line dropped within an answer of AWS's", where=where, hint=_AGAIN)
    if isinstance(error, parsers.ResponseParserError):
        message = "what came back is no answer of AWS's: a proxy's, or that of a hotel's network"
        return NetworkError(message, where=where, hint=f"open any web page, then {_AGAIN}")
    return CloudError(f"{type(error).__name__}: {error}", where=where)
