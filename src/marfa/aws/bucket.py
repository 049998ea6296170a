"""The bucket: every call to S3 names the account that it must belong to, lest another's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marfa.aws.client import Cloud


@dataclass(frozen=True)
class Bucket:
    """A bucket of the account that the credentials belong to.

    Args:
        cloud: the account and region.
        name: the bucket's name.
    """

    cloud: Cloud
    name: str

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call, as `Cloud.call` does."""
        return self.cloud.call("s3", operation, **self._own(parameters))

    def content(self, operation: str, **parameters: Any) -> tuple[dict[str, Any], bytes]:
        """Make a call and read the bytes that it answers, as `Cloud.content` does."""
        return self.cloud.content("s3", operation, **self._own(parameters))

    def pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Make a call for all pages of its answer, as `Cloud.pages` does."""
        return self.cloud.pages("s3", operation, **self._own(parameters))

    def _own(self, parameters: dict[str, Any]) -> dict[str, Any]:
        owner = self.cloud.account
        return {"Bucket": self.name, "ExpectedBucketOwner": owner, **parameters}
