"""Installed packages as the wheels that they came from, so that no test needs a network for one."""

import io
import os
import pwd
import shutil
import subprocess
import zipfile
from importlib import metadata
from pathlib import Path


def wheel(name):
    """The bytes of a wheel with the files of an installed package."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for file in metadata.files(name):
            if ".." not in file.parts and "__pycache__" not in file.parts:
                packed.writestr(file.as_posix(), file.read_binary())
    return made.getvalue()


def untar(archive, folder):
    """Unpack a tar.gz as SageMaker does, by a program that is not ours."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    return folder


def unpack(content, folder):
    """Unpack a zip as Lambda does, and return its folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        packed.extractall(folder)
    return folder


def python(version):
    """The path of a Python of this version without any package, or None where there is none."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # the user's own, which tests are kept from
    homes = sorted((home / ".pyenv" / "versions").glob(f"{version}.*/bin/python3"))
    found = shutil.which(f"python{version}")
    for candidate in [found, *map(str, reversed(homes))]:
        if candidate:
            asked = [candidate, "-I", "-S", "-c", "import sys; print(sys.version)"]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.startswith(f"{version}."):
                return candidate
    return None
