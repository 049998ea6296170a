"""AWS's own model servers, each around the unchanged files of a model.tar.gz.

The toolkits start them as they do in AWS's images. One thing differs: the file that each writes for its
server lies beside the model, and not in /etc.
"""

import contextlib
import shutil

from tests.installed import untar
from tests.peers.processes import Program, environ, free_port, missing, python

_STACKS = {
    "mms": (
        "from sagemaker_inference import model_server as toolkit\n"
        "toolkit.MMS_CONFIG_FILE = sys.argv[1]\n"
        "toolkit.start_model_server()\n"
    ),
    "torchserve": (
        "from sagemaker_pytorch_serving_container import serving, torchserve as toolkit\n"
        "toolkit.TS_CONFIG_FILE = sys.argv[1]\n"
        "serving.main()\n"
    ),
}


def reason_to_skip(stack):
    """Why a model server cannot be run here, in a few words; empty if it can."""
    if shutil.which("java") is None:
        return f"{stack} needs java (17), which is not installed"
    return missing(stack)


@contextlib.contextmanager
def running(stack, model_path, folder, **settings):
    """Serve a model.tar.gz, and yield the program and its address."""
    untar(model_path, folder / "ml" / "model")
    port = free_port()
    binaries = python(stack).parent
    env = environ(
        folder,
        SAGEMAKER_BASE_DIR=str(folder / "ml"),
        SAGEMAKER_BIND_TO_PORT=str(port),
        SAGEMAKER_MODEL_SERVER_WORKERS="1",
        **settings,
    )
    env["PATH"] = f"{binaries}:{env['PATH']}"
    command = [python(stack), "-c", "import sys\n" + _STACKS[stack], folder / "server.properties"]
    with Program(command, folder / "server", env) as program:
        url = f"http://127.0.0.1:{port}"
        program.wait_for(f"{url}/ping")
        yield program, url
