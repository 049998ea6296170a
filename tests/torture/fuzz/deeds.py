"""Everything that no bundle may make Python do, done by a loader that is told what to do."""

from __future__ import annotations

import code
import ctypes
import ftplib
import marshal
import os
import pickle
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path

_CODE = compile("", "made before anybody listens", "exec")
_MARSHALLED, _PICKLED = marshal.dumps(_CODE), pickle.dumps(code.interact)
_HERE, _THERE, _NOWHERE = "evil-was-here", "evil-was-there", "http://127.0.0.1:9/"

DEEDS: tuple[tuple[str, Callable[[], object]], ...] = (
    ("os.exec", lambda: os.execv("/bin/true", ["true"])),
    ("os.posix_spawn", lambda: os.posix_spawn("/bin/true", ["true"], {})),
    ("os.system", lambda: os.system("true")),
    ("os.fork", os.fork),
    ("os.forkpty", os.forkpty),
    ("subprocess.Popen", lambda: subprocess.run(["true"], check=True)),
    ("socket.__new__", socket.socket),
    ("socket.getaddrinfo", lambda: socket.getaddrinfo("localhost", 9)),
    ("pickle.find_class", lambda: pickle.loads(_PICKLED)),
    ("ctypes.dlopen", lambda: ctypes.CDLL("evil.so")),
    ("code.__new__", lambda: _CODE.replace(co_name="evil")),
    ("exec", lambda: exec(_CODE)),
    ("compile", lambda: compile("evil", "evil.py", "exec")),
    ("marshal.loads", lambda: marshal.loads(_MARSHALLED)),
    ("shutil.rmtree", lambda: shutil.rmtree(_HERE)),
    ("tempfile.mkstemp", lambda: tempfile.mkstemp(dir=".")),
    ("open", lambda: Path(_HERE).write_bytes(b"")),
    ("open", lambda: os.open(_HERE, os.O_WRONLY | os.O_CREAT)),
    ("import", lambda: __import__("ctypes.wintypes")),
    ("sqlite3.connect", lambda: sqlite3.connect(_HERE)),
    ("os.setxattr", lambda: os.setxattr(".", "user.evil", b"")),
    ("os.removexattr", lambda: os.removexattr(".", "user.evil")),
    ("os.unsetenv", lambda: os.unsetenv("EVIL")),
    ("os.remove", lambda: os.remove(_HERE)),
    ("os.rename", lambda: os.rename(_HERE, _THERE)),
    ("os.link", lambda: os.link(_HERE, _THERE)),
    ("os.symlink", lambda: os.symlink(_HERE, _THERE)),
    ("os.mkdir", lambda: os.mkdir(_HERE)),
    ("os.rmdir", lambda: os.rmdir(_HERE)),
    ("os.chmod", lambda: os.chmod(".", 0o777)),
    ("os.chown", lambda: os.chown(".", -1, -1)),
    ("os.truncate", lambda: os.truncate(_HERE, 0)),
    ("os.utime", lambda: os.utime(".")),
    ("os.kill", lambda: os.kill(os.getpid(), 0)),
    ("os.putenv", lambda: os.putenv("EVIL", "here")),
    ("webbrowser.open", lambda: webbrowser.BackgroundBrowser("true").open(_NOWHERE)),
    ("urllib.Request", lambda: urllib.request.urlopen(_NOWHERE)),
    ("ftplib.connect", lambda: ftplib.FTP("127.0.0.1")),
)
"""What Python's audit hooks call each, and how it is done."""


def doing(path: Path) -> object:
    """Do the one whose number stands in a file."""
    _, deed = DEEDS[int(path.read_text("ascii"))]
    return deed()
