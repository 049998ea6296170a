"""AWS's own emulator of Lambda's runtime, and functions that run in it.

`python tests/emulator.py FILE` gets the emulator out of the wheel that carries it. It is a program for
Linux; elsewhere FILE is left empty, and the tests that need it say that they were skipped.
"""

import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

WHEEL = "aws-sam-cli==1.170.0"
PROGRAM = Path(__file__).parents[1] / ".venv" / "aws-lambda-rie"
_SHA256 = {
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
}
_PATH = "/2015-03-31/functions/function/invocations"


def get(target: Path) -> None:
    """Put the emulator for this machine at a path, or nothing where there is none for it."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    content = b""
    if sys.platform == "linux" and machine in _SHA256:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            pip += ["--disable-pip-version-check", "--dest", folder, WHEEL]
            subprocess.run(pip, check=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                content = wheel.read(f"samcli/local/rapid/aws-lambda-rie-{machine}")
        if hashlib.sha256(content).hexdigest() != _SHA256[machine]:
            sys.exit(f"{WHEEL} holds another emulator than the one that was tested")
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.chmod(0o755)
    part.replace(target)


def there() -> bool:
    """Whether the emulator is."""
    return PROGRAM.is_file() and PROGRAM.stat().st_size > 0


class Emulated:
    """A function at work in the emulator, from `with` to the end of its block.

    `folder` is its unpacked zip, `layers` are folders that Python looks into after it. Nothing else of
    this machine's Python is there but its standard library and the runtime client.
    """

    def __init__(self, folder, handler, layers=(), python=sys.executable, client=None, **environ):
        paths = [str(path) for path in (folder, *layers, client or client_folder())]
        start = f"import sys; sys.path[:0] = {paths!r}; sys.argv[1:] = [{handler!r}]; "
        start += "from awslambdaric.__main__ import main; main(sys.argv)"
        self._folder, self._port, control = folder, _free(), _free()
        self._command = [
            *(PROGRAM, "--log-level", "error"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *("--runtime-api-address", f"127.0.0.1:{control}"),
            *(python, "-I", "-S", "-B", "-c", start),
        ]
        self._environ = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_TIMEOUT": "25", **environ}

    def __enter__(self):
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *error):
        self._process.terminate()
        self.log = self._process.communicate()[0].decode(errors="replace")

    @property
    def url(self):
        """Where boto3's client of Lambda finds it."""
        return f"http://127.0.0.1:{self._port}"

    def invoke(self, event):
        """Hand over an event, and return what the function hands back; wait for it to listen."""
        body = json.dumps(event).encode()
        while self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + _PATH, body, timeout=30) as answer:
                    return json.loads(answer.read())
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
                time.sleep(0.002)
        raise AssertionError("the emulator ended")


def _free():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def client_folder():
    """The folder that the runtime client was installed to."""
    from importlib import metadata

    return metadata.distribution("awslambdaric").locate_file("")


if __name__ == "__main__":
    get(Path(sys.argv[1]))
