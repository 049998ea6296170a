"""Sessions whose requests to S3 can be counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Watch:
    """What sessions send: how often each operation, and the bytes of its bodies."""

    calls: Counter = field(default_factory=Counter)
    sent: Counter = field(default_factory=Counter)
    owners: set = field(default_factory=set)

    def over(self, session):
        """Watch a session from now on."""
        session.events.register("provide-client-params.s3", self._parameters)
        session.events.register("before-send.s3", self._request)
        return session

    def _parameters(self, params, **_):
        self.owners.add(params.get("ExpectedBucketOwner"))

    def _request(self, event_name, request, **_):
        operation = event_name.split(".")[-1]
        self.calls[operation] += 1
        self.sent[operation] += int(request.headers.get("Content-Length", 0))
