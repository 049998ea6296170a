"""AWS's sagemaker-inference around the four functions of a bundle, in its own Python, without Java."""

import base64
import contextlib
import json
import subprocess
from pathlib import Path

from tests.installed import untar
from tests.peers.comparison import response
from tests.peers.processes import environ, python

_INSIDE = Path(__file__).with_name("inside_toolkit.py")
_MOST_BYTES = 6_553_500


def unasked(request, ping=True):
    """Why a request never comes to a container of SageMaker's; empty if it does."""
    if (request.method, request.path) == ("GET", "/ping"):
        return "" if ping else "/ping is the server's"
    if (request.method, request.path) != ("POST", "/invocations"):
        return "SageMaker hands on POST /invocations alone"
    return ""


def own(request, expected):
    """Why the toolkit answers a request itself, before the handler sees it; empty if it does not."""
    if request.content_type in {"application/json", "text/csv"}:
        try:
            request.body.decode()
        except UnicodeDecodeError:
            return "the toolkit decodes a bare application/json itself, and answers 500"
    return ""


def servers_own(request, expected):
    """The same for the toolkit in one of its servers."""
    if request.path == "/ping":
        return "the server's own words for healthy"
    if len(request.body) > _MOST_BYTES:
        return "the server takes 6.25 MiB"
    return own(request, expected)


class Lines:
    """A program in another Python that answers a line of JSON with a line of JSON."""

    def __init__(self, stack, script, folder, env):
        folder.mkdir(parents=True, exist_ok=True)
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [python(stack), "-I", script],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def ask(self, document):
        """Hand a document over, and return the one that comes back."""
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"it has ended: {Path(self._log.name).read_text()[-2000:]}"
        return json.loads(line)


@contextlib.contextmanager
def opened(model_path, folder):
    """Load a model.tar.gz by the toolkit, and yield what asks it."""
    untar(model_path, folder / "ml" / "model")
    env = environ(folder, SAGEMAKER_BASE_DIR=str(folder / "ml"))
    with Lines("mms", _INSIDE, folder / "toolkit", env) as running:

        def ask(request):
            found = running.ask(
                {
                    "headers": {"Content-Type": request.content_type, "Accept": request.accept},
                    "body": base64.b64encode(request.body).decode(),
                }
            )
            body = base64.b64decode(found["body"])
            return response(found["status"], found["content_type"], body)

        yield ask
