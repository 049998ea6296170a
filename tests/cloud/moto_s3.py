"""A real S3 over HTTP, as far as moto is one, and sessions whose requests can be watched."""

import contextlib
from collections import Counter
from dataclasses import dataclass, field

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
OWNER = "123456789012"


@contextlib.contextmanager
def server():
    """Run moto, and yield its address."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        moto.stop()


def environment(address):
    """Return what sends every AWS call of a process to that address."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


@dataclass
class Watch:
    """What a session sends: how often each operation, and the bytes of its bodies."""

    calls: Counter = field(default_factory=Counter)
    sent: Counter = field(default_factory=Counter)
    owners: set = field(default_factory=set)

    def session(self):
        """Make a session that is watched."""
        made = boto3.Session()
        made.events.register("provide-client-params.s3", self._parameters)
        made.events.register("before-send.s3", self._request)
        return made

    def _parameters(self, params, **_):
        self.owners.add(params.get("ExpectedBucketOwner"))

    def _request(self, event_name, request, **_):
        operation = event_name.split(".")[-1]
        self.calls[operation] += 1
        self.sent[operation] += int(request.headers.get("Content-Length", 0))
