# ruff: noqa: E501
"""Bundles that mean ill, made by a generator: what is known to have broken readers, in every place."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import os
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tests.torture.fuzz import models

from marfa import bundle

Case = tuple[str, bytes]
"""What it is, and the bytes of the archive."""

SLOTS = (
    *("config.json", "codec.json", "weights.safetensors", "model.onnx", "model.int8.onnx", "golden.jsonl"),
    *("metrics.json", "README.md", "code/inference.py", "code/requirements.txt", "bundle.json"),
)  # fmt: skip
SHELL = "touch evil-was-here"


@cache
def good(task: str) -> Mapping[str, bytes]:
    """Return the files of a good bundle, but its manifest."""
    return dict(models.made(task).contents)


def sealed(contents: Mapping[str, bytes], task: str = "classifier") -> dict[str, bytes]:
    """Put a manifest before files, as somebody who means ill can do as well as marfa."""
    return bundle.seal(contents, {"task": task})


def tar_of(members: Mapping[str, bytes]) -> bytes:
    """Write members as a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            tar.addfile(*entry(name, content))
    return made.getvalue()


def packed(data: bytes) -> bytes:
    """Compress as an archive is."""
    return gzip.compress(data, 1, mtime=0)


def entry(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, io.BytesIO]:
    """Return a member of an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


def with_entry(
    info: tuple[tarfile.TarInfo, io.BytesIO],
    *,
    first: bool = False,
    without: str = "",
    form: int = tarfile.GNU_FORMAT,
    pax: dict[str, str] | None = None,
) -> bytes:
    """Return a good archive with one member more."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form, pax_headers=pax) as tar:
        members = [
            entry(name, data)
            for name, data in sealed(good("classifier")).items()
            if name != without
        ]
        for each in [info, *members] if first else [*members, info]:
            tar.addfile(*each)
    return packed(made.getvalue())


def inside(task: str, changed: Mapping[str, bytes | None]) -> bytes:
    """Return a good archive of a task of which files are others, with a manifest that fits them."""
    contents = {**good(task), **changed}
    return packed(tar_of(sealed({k: v for k, v in contents.items() if v is not None}, task)))


# Names, kinds and records that no flat list of files has.

_NAMES = (
    "../evil", "../../../../tmp/evil", "/tmp/evil", "code/../../evil", "./../evil", "..", ".", "", "./", "a/", "C:\\evil",
    "..\\evil", "con", "\x1b[31mevil", "evil" * 24, "evil" * 70, "\u00e9vil", "code/marfa/../../../evil.py",
    "code/marfa/a/b/evil.py", "code/marfa/__init__.py/evil", "model.pkl", "data.pkl", "archive/data.pkl", "weights.pt",
    "pytorch_model.bin", "model.joblib", "constants.npy", "__main__.py", ".bashrc", "~/.bashrc", "code/setup.py", "code/sitecustomize.py",
    "code/inference.pyc", "code/__pycache__/inference.cpython-311.pyc", "numpy.py", "code/numpy.py", "marfa.pth", "config.json ",
    "Config.json", "config.json\0.pkl", "manifest.json", "weights.safetensors.index.json", "model.onnx.data", "%2e%2e/evil", "....//evil",
)  # fmt: skip


def _names() -> Iterator[Case]:
    for name in _NAMES:
        for first in (True, False):
            yield f"name {name[:20]!a}", with_entry(entry(name, b"evil"), first=first)
    for slot in SLOTS:
        yield f"twice {slot}", with_entry(entry(slot, b"{}"))
        yield f"twice {slot}", with_entry(entry(f"./{slot}", b"{}"), first=True)


_KINDS = b"123456789SLKVMANDxgX?\0"


def _kinds() -> Iterator[Case]:
    for kind in (bytes([each]) for each in _KINDS):
        for target in ("/etc/passwd", "../../evil", "weights.safetensors"):
            info = entry("codec.json", b"", type=kind, linkname=target)
            try:
                yield (
                    f"kind {kind!a}",
                    with_entry(info, without="codec.json", first=target[0] == "."),
                )
            except ValueError:
                continue
        yield (
            f"kind {kind!a} with content",
            with_entry(entry("codec.json", b"evil" * 99, type=kind), without="codec.json"),
        )


def _records() -> Iterator[Case]:
    for key, value in (
        ("path", "../evil"), ("path", "/tmp/evil"), ("size", "99999999999"), ("size", "-1"), ("linkpath", "/etc/passwd"),
        ("GNU.sparse.major", "1"), ("GNU.sparse.name", "../evil"), ("GNU.sparse.realsize", "99999999999"),
        ("GNU.sparse.map", "0,1,99999999,1"), ("hdrcharset", "BINARY"), ("comment", "x" * 30_000), ("mtime", "1e999"),
        ("uname", "\x1b[31m"), ("SCHILY.xattr.user.x", "y"), ("charset", "ISO-IR 10646 2000 UTF-8"),
    ):  # fmt: skip
        info, data = entry("metrics.json", b"{}")
        info.pax_headers = {key: value}
        yield f"record {key}", with_entry((info, data), form=tarfile.PAX_FORMAT, first=True)
        yield (
            f"record {key} of all",
            with_entry(
                entry("README.md", b"x"),
                form=tarfile.PAX_FORMAT,
                pax={key: value},
                without="README.md",
            ),
        )
    for record in (
        b"",
        b"9 path=a\n",
        b"-5 path=a\n",
        b"99999999 a=b\n",
        b"a a=b\n",
        b"\xff" * 30,
        b"10 a\0b=c\n",
    ):
        for kind in (b"x", b"g", b"L", b"K"):
            yield "a record that is none", with_entry(entry("x", record, type=kind), first=True)


def _headers() -> Iterator[Case]:
    """Yield archives whose first header says what cannot be."""
    whole = tar_of(sealed(good("classifier")))
    for start, field in (
        (124, b"77777777777\0"), (124, b"\x80" + b"\xff" * 11), (124, b"-0000000001\0"), (124, b"           \0"),
        (124, b"0x000000001\0"), (124, b"00000000000\0"), (124, b"00000000001\0"), (124, b"99999999999\0"), (148, b"0000000\0"),
        (148, b"        "), (148, b"7777777\0"), (0, b"\0" * 100), (0, b"/" * 100), (0, b"\xff" * 100), (257, b"\0" * 8),
        (257, b"GNUtar \0"), (345, b"prefix/../.."), (100, b"7777777\0"), (329, b"\xff" * 8),
    ):  # fmt: skip
        header = bytearray(whole[:512])
        header[start : start + len(field)] = field
        if start != 148:
            total = sum(header[:148]) + 8 * 32 + sum(header[156:])
            header[148:156] = b"%06o\0 " % total
        yield f"header at {start}", packed(bytes(header) + whole[512:])


def _forms() -> Iterator[Case]:
    whole = tar_of(sealed(good("classifier")))
    archive = packed(whole)
    yield "nothing", b""
    yield "no archive", b"PK\3\4" + bytes(100)
    yield "text", b"not a bundle\n" * 100
    yield "not packed", whole
    yield "bzip2", bz2.compress(whole)
    yield "xz", lzma.compress(whole)
    yield "zlib", zlib.compress(whole)
    yield "packed twice", gzip.compress(archive)
    yield "garbage behind", archive + os.urandom(999)
    yield "zeros behind", archive + bytes(99_999)
    yield "two members", gzip.compress(whole[:5120]) + gzip.compress(whole[5120:])
    yield "two archives", archive + archive
    yield "a wrong sum", archive[:-8] + b"\0\0\0\0" + archive[-4:]
    yield "a wrong length", archive[:-4] + b"\xff\xff\xff\xff"
    yield "every flag", archive[:3] + b"\xff" + archive[4:]
    yield "no end", packed(whole[: len(whole) // 512 * 512 - 10_240])
    yield "only an end", packed(bytes(1024))
    yield "zeros", packed(bytes(64 << 20))
    yield "folders", packed(tar_of({}).join([b""]) + _folder() * 100_000)
    for share in range(1, 12):
        yield "cut", archive[: len(archive) * share // 12]
        yield "cut within", packed(whole[: len(whole) * share // 12])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr("archive/data.pkl", pickle.dumps(Gadget("os", "system", SHELL)))
    yield "torch's", made.getvalue()


def _folder() -> bytes:
    info = tarfile.TarInfo("a")
    info.type = tarfile.DIRTYPE
    return info.tobuf(tarfile.USTAR_FORMAT)


def _bombs(every: int = 1, start: int = 0) -> Iterator[Case]:
    sizes = {
        "config.json": 1 << 20,
        "bundle.json": 1 << 20,
        "README.md": 1 << 20,
        "golden.jsonl": 1 << 19,
    }
    fillings = (b"\0", b" ", b"[", b'{"a":', b"[],", b'"ab",', b"1,", b"9")
    pairs = [(slot, filling) for slot in SLOTS for filling in fillings]
    for slot, filling in pairs[start % every :: every]:  # to make one takes a while
        content = filling * (sizes.get(slot, 60 << 20) // len(filling))
        members = {**good("classifier"), slot: content}
        manifest = members.pop("bundle.json", None)
        whole = sealed(members)
        if manifest is not None:
            whole["bundle.json"] = manifest
        yield f"bomb of {filling!a} in {slot}", packed(tar_of(whole))


# Weights.


def tensors(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
    """Write a safetensors file of which nothing need be true."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    said = len(text) if length is None else length
    return struct.pack("<Q", said % (1 << 64)) + text + body


def _weights() -> Iterator[Case]:
    for name, data in _weight_files():
        yield (
            f"weights: {name}",
            inside("classifier", {"weights.safetensors": data, "model.onnx": None}),
        )
        yield f"weights beside a graph: {name}", inside("classifier", {"weights.safetensors": data})
    for task in models.TASKS:
        whole = good(task)["weights.safetensors"]
        length = int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8 : 8 + length])
        body = whole[8 + length :]
        for each in (np.nan, np.inf, 3e38, -3e38, 1e-45):
            filled = np.full(len(body) // 4, each, np.float32).tobytes().ljust(len(body), b"\0")
            yield (
                f"weights of {each}",
                inside(task, {"weights.safetensors": tensors(header, filled)}),
            )
        for name in list(header):
            wrong = {key: value for key, value in header.items() if key != name}
            yield (
                "a tensor less",
                inside(task, {"weights.safetensors": tensors(wrong, body), "model.onnx": None}),
            )
            wrong = {**header, name: {**header[name], "shape": [*header[name]["shape"], 1]}}
            yield "an axis more", inside(task, {"weights.safetensors": tensors(wrong, body)})
            wrong = {**header, name: {**header[name], "shape": header[name]["shape"][::-1]}}
            yield "axes turned", inside(task, {"weights.safetensors": tensors(wrong, body)})


def _weight_files() -> Iterator[Case]:
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    for length in (
        0,
        1,
        7,
        1 << 20,
        (1 << 20) + 1,
        100 << 20,
        1 << 31,
        1 << 32,
        (1 << 63) - 1,
        1 << 63,
        (1 << 64) - 1,
    ):
        yield "length", tensors({"a": one}, bytes(4), length)
    for text in (
        b"", b"{", b"[]", b"null", b"\xff" * 20, b"{}" * 9, b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b" " * 1000 + b"{}",
        b'{"a":1,"a":2}', b'{"__metadata__":[]}', b'{"__metadata__":{"a":' + b"1" * 5000 + b"}}", "{}".encode("utf-16"), b"{}\0",
    ):  # fmt: skip
        yield "header", tensors(text, bytes(4))
    for kind in (
        "F64",
        "F16",
        "BF16",
        "I64",
        "I32",
        "U8",
        "BOOL",
        "F8_E4M3",
        "C64",
        "f32",
        "",
        None,
        1,
        [],
        "O",
        "object",
        "V4",
        "S4",
    ):
        yield "type", tensors({"a": {**one, "dtype": kind}}, bytes(4))
    for shape in (
        [], [0], [-1], [1 << 62], [1 << 63, 2], [1 << 32, 1 << 32], [65_536] * 4, [1] * 5, [1] * 1000, [1.0], ["1"], [None],
        [True], [[1]], {}, None, 1, "1", [10**4000], [-1, -1], [2, 0.5],
    ):  # fmt: skip
        yield "shape", tensors({"a": {**one, "shape": shape}}, bytes(4))
    for place in (
        [0], [0, 4, 8], [4, 0], [-4, 0], [0, 8], [4, 8], [0, 1 << 62], [1 << 63, (1 << 63) + 4], [0.0, 4.0], ["0", "4"],
        [False, True], None, {}, [None, None], [10**4000, 10**4000 + 4], [0, -4],
    ):  # fmt: skip
        yield "place", tensors({"a": {**one, "data_offsets": place}}, bytes(4))
    two = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    yield "overlap", tensors({"a": one, "b": two}, bytes(4))
    yield "gap", tensors({"a": one, "b": {**two, "data_offsets": [8, 12]}}, bytes(12))
    yield "rest", tensors({"a": one}, bytes(400))
    many = {
        f"t{n}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
        for n in range(14_000)
    }
    yield "many", tensors(many, bytes(4 * 14_000))
    empty = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(15_000)}
    yield "many of nothing", tensors(empty)
    small = {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}
    yield "no scale", tensors({"a": small}, bytes(4))
    for scale in (np.nan, np.inf, 0, -1, 3e38):
        header = {"a": small, "a.scale": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}
        yield "scale", tensors(header, b"\x7f" * 4 + np.float32(scale).tobytes())
    yield "name", tensors({"\x1b[31m" + "a" * 100_000: one}, bytes(4))
    yield "name of parts", tensors({"__class__.__init__.__globals__": one}, bytes(4))


# Documents.

_ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**63, 10**30, 1e308, -0.5, "", "x", "../../etc/passwd", "__import__('os').system('x')",
    [], {}, [[]], ["a", "a"], {"__class__": "os.system"}, [0] * 500, "\ud800", "\0", "\x1b[31m",
)  # fmt: skip


def _paths(document: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = document.keys() if isinstance(document, dict) else range(min(3, len(document)))
    for key in keys:
        yield (*before, key)
        if isinstance(document[key], dict | list):
            yield from _paths(document[key], (*before, key))


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def _documents() -> Iterator[Case]:
    dice = random.Random(7)
    for task in models.TASKS:
        for name in ("config.json", "codec.json"):
            document = json.loads(good(task)[name])
            for path in _paths(document):
                for value in dice.sample(_ODD, 4):
                    yield (
                        f"{name} {path[-1]}",
                        inside(task, {name: json.dumps(_with(document, path, value)).encode()}),
                    )
                yield f"{name} {path[-1]}", inside(task, {name: _nested(document, path)})
        whole = sealed(good(task), task)
        manifest = json.loads(whole["bundle.json"])
        for path in [
            ("format",),
            ("model",),
            ("task",),
            ("files",),
            ("files", "config.json"),
            ("tolerance",),
            ("int8",),
            ("page",),
        ]:
            for value in _ODD:
                changed = json.dumps(_with(manifest, path, value)).encode()
                yield f"manifest {path[-1]}", packed(tar_of({**whole, "bundle.json": changed}))
        golden = good(task)["golden.jsonl"].splitlines()
        first = json.loads(golden[0])
        for value in _ODD:
            for path in [
                ("request",),
                ("response",),
                ("request", "body"),
                ("request", "method"),
                ("response", "status"),
            ]:
                line = json.dumps(_with(first, path, value)).encode()
                yield f"golden {path[-1]}", inside(task, {"golden.jsonl": line})
        yield "golden many", inside(task, {"golden.jsonl": b"\n".join(golden * 40)[: 1 << 19]})
        yield "golden none", inside(task, {"golden.jsonl": b""})
        for metrics in (
            b"[]",
            b"null",
            b'{"summary":[]}',
            b'{"summary":{"a":1e999}}',
            b"NaN",
            b"[" * 90_000,
            b'{"a":NaN}',
        ):
            yield "metrics", inside(task, {"metrics.json": metrics})


def _nested(document: Any, path: tuple[Any, ...]) -> bytes:
    """Return a document in which one value is a list in a list, as deep as a reader goes."""
    text = json.dumps(_with(document, path, "zq-nested"))
    return text.replace('"zq-nested"', "[" * 900 + "]" * 900).encode()


# Programs.


class Gadget:
    """What becomes a call when it is unpickled.

    Args:
        module: where the function is.
        name: of the function.
        arguments: what it is called with.
    """

    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self._call = (module, name, arguments)

    def __reduce__(self) -> Any:
        module, name, arguments = self._call
        found: Any = __import__(module)
        for part in (*module.split(".")[1:], *name.split(".")):
            found = getattr(found, part)
        return found, arguments


_GADGETS = (
    Gadget("os", "system", SHELL),
    Gadget("subprocess", "Popen", ["touch", "evil-was-here"]),
    Gadget("builtins", "exec", "open('evil-was-here', 'w')"),
    Gadget("builtins", "eval", "__import__('os').system('touch evil-was-here')"),
    Gadget("builtins", "open", "evil-was-here", "w"),
    Gadget("importlib", "import_module", "ctypes"),
    Gadget("socket", "create_connection", ("127.0.0.1", 9)),
    Gadget("shutil", "rmtree", "evil"),
    Gadget("runpy", "run_path", "evil.py"),
    Gadget("code", "interact"),
    Gadget("webbrowser", "open", "http://127.0.0.1:9/"),
    Gadget("urllib.request", "urlopen", "http://127.0.0.1:9/"),
    Gadget("ctypes", "CDLL", "evil.so"),
    Gadget("timeit", "timeit", "1"),
    Gadget("pydoc", "locate", "os.system"),
)


def _programs() -> Iterator[Case]:
    for number, slot in enumerate(SLOTS):
        for data in _payloads(number):
            if slot == "bundle.json":
                yield (
                    f"pickle as {slot}",
                    packed(tar_of({**sealed(good("classifier")), slot: data})),
                )
            else:
                yield f"pickle as {slot}", inside(models.TASKS[number % 2], {slot: data})
    shell = b"import os; os.system('touch evil-was-here')\n"
    for name in (
        "code/inference.py",
        "code/marfa/__init__.py",
        "code/marfa/bundle.py",
        "code/marfa/text/words.py",
    ):
        yield f"{name} altered", inside("classifier", {name: shell})
    yield (
        "requirements",
        inside("classifier", {"code/requirements.txt": b"--index-url http://127.0.0.1:9/\nevil\n"}),
    )


def _payloads(number: int) -> Iterator[bytes]:
    for at, gadget in enumerate(_GADGETS):
        yield pickle.dumps(gadget, protocol=(number + at) % 6)
    data = pickle.dumps(_GADGETS[0])
    yield zlib.compress(data)
    objects = io.BytesIO()
    np.save(objects, np.array([_GADGETS[0]], dtype=object), allow_pickle=True)
    yield objects.getvalue()
    npz = io.BytesIO()
    np.savez(npz, a=np.array([_GADGETS[0]], dtype=object))
    yield npz.getvalue()
    yield b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x13touch evil-was-here\x85R."
    yield b"cos\nsystem\n(S'touch evil-was-here'\ntR."
    yield (
        b"\x93NUMPY\x01\0"
        + struct.pack("<H", 60)
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(60)
        + data
    )
    yield b"\x89HDF\r\n\x1a\n" + data
    yield b"\xa7\r\r\n" + bytes(12) + data  # as compiled Python


# Graphs.

_FLOATS, _INTS = TensorProto.FLOAT, TensorProto.INT64


def _graph(*nodes: Any, weights: Any = (), **more: Any) -> bytes:
    tokens = helper.make_tensor_value_info("tokens", _INTS, ["batch", "words"])
    lengths = helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"])
    logits = helper.make_tensor_value_info("logits", _FLOATS, ["batch", 2])
    made = helper.make_graph(list(nodes), "g", [tokens, lengths], [logits], list(weights), **more)
    opsets = [
        helper.make_opsetid("", 18),
        helper.make_opsetid("com.microsoft", 1),
        helper.make_opsetid("evil", 1),
    ]
    return helper.make_model(made, opset_imports=opsets, ir_version=9).SerializeToString()


def _outside(location: str, **more: str) -> Any:
    tensor = TensorProto(name="w", data_type=_FLOATS, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def _graphs() -> Iterator[Case]:
    node = helper.make_node
    cast = node("Cast", ["tokens"], ["x"], to=_FLOATS)
    numbers = {
        name: numpy_helper.from_array(np.array(value), name)
        for name, value in {
            "zero": 0,
            "one": 1,
            "huge": 1 << 62,
            "large": 1 << 33,
            "some": 1 << 24,
            "axes": [0],
        }.items()
    }
    huge = [numbers[name] for name in numbers]
    add = node("Add", ["x", "w"], ["logits"])
    for location in (
        "../../../../etc/passwd",
        "/etc/passwd",
        "evil.bin",
        "..",
        "",
        "file:///etc/passwd",
        "\\\\host\\x",
        "*/x",
        "a\0b",
    ):
        yield f"data in {location[:9]!a}", _graph(cast, add, weights=[_outside(location)])
        yield (
            "data with a place",
            _graph(cast, add, weights=[_outside(location, offset="-1", length="1" * 30)]),
        )
    body = helper.make_graph(
        [node("Identity", ["c"], ["d"]), node("Identity", ["v"], ["u"])], "b",
        [helper.make_tensor_value_info("i", _INTS, []), helper.make_tensor_value_info("c", TensorProto.BOOL, []), helper.make_tensor_value_info("v", _FLOATS, None)],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, []), helper.make_tensor_value_info("u", _FLOATS, None)],
    )  # fmt: skip
    yield (
        "endless loop",
        _graph(cast, node("Loop", ["huge", "", "x"], ["logits"], body=body), weights=huge),
    )
    for kind, domain in (
        ("Evil", "evil"),
        ("PyOp", "ai.onnx.contrib"),
        ("ATen", "org.pytorch.aten"),
        ("EPContext", "com.microsoft"),
        ("Add", "evil"),
        ("", ""),
    ):
        yield f"operator {kind}", _graph(node(kind, ["tokens"], ["logits"], domain=domain))
    for kind in (
        "If",
        "Scan",
        "SequenceMap",
        "Optional",
        "StringNormalizer",
        "TfIdfVectorizer",
        "RandomNormal",
        "Identity",
        "Print",
    ):
        yield f"operator {kind}", _graph(node(kind, ["tokens"], ["logits"]))
    yield (
        "much of nothing",
        _graph(
            node("ConstantOfShape", ["large1"], ["logits"]),
            weights=[numpy_helper.from_array(np.array([1 << 33]), "large1")],
        ),
    )
    yield "a long range", _graph(node("Range", ["zero", "huge", "one"], ["logits"]), weights=huge)
    yield (
        "a long range of few",
        _graph(
            node("Range", ["zero", "some", "one"], ["r"]),
            node("Cast", ["r"], ["logits"], to=_FLOATS),
            weights=huge,
        ),
    )
    yield (
        "many symbols",
        _graph(
            node("OneHot", ["tokens", "huge", "ends"], ["logits"]),
            weights=[*huge, numpy_helper.from_array(np.array([0.0, 1.0], np.float32), "ends")],
        ),
    )
    wide = numpy_helper.from_array(np.zeros((1, 60_000), np.float32), "wide")
    high = numpy_helper.from_array(np.zeros((60_000, 1), np.float32), "high")
    yield (
        "a large product",
        _graph(node("MatMul", ["high", "wide"], ["logits"]), weights=[wide, high]),
    )
    yield "a large sum", _graph(node("Add", ["high", "wide"], ["logits"]), weights=[wide, high])
    yield (
        "pooling",
        _graph(cast, node("MaxPool", ["x"], ["logits"], kernel_shape=[1 << 40], strides=[1 << 40])),
    )
    yield (
        "a circle",
        _graph(
            node("Add", ["logits", "b"], ["a"]),
            node("Add", ["a", "a"], ["b"]),
            node("Add", ["b", "a"], ["logits"]),
        ),
    )
    yield "no operator", _graph()
    yield (
        "too many",
        _graph(cast, *[node("Add", ["x", "x"], [f"y{n}"]) for n in range(20_000)], add),
    )
    yield (
        "beyond the table",
        _graph(
            node("Gather", ["w", "tokens"], ["logits"]),
            weights=[numpy_helper.from_array(np.zeros((1, 2), np.float32), "w")],
        ),
    )
    yield "other names", _graph(node("Cast", ["tokens"], ["evil"], to=_FLOATS))
    yield "words", _graph(weights=[helper.make_tensor("s", TensorProto.STRING, [1], [b"evil"])])
    for claimed in ([1 << 40], [-1], [0], [1 << 31, 1 << 31], [2**62]):
        lie = TensorProto(name="w", data_type=_FLOATS, dims=claimed, raw_data=b"1234")
        yield "a tensor's shape", _graph(cast, add, weights=[lie])
    yield "proto without end", b"\x3a" + b"\xff" * 9 + b"\x01"
    yield "proto in proto", b"\x3a\x80\x80\x04" * 30_000
    yield "a number without end", b"\xff" * 10_000
    yield "a group", b"\x0b" * 1000
    yield "empty", b""


def _within() -> Iterator[Case]:
    for name, graph in _graphs():
        for task, slot in (("classifier", "model.onnx"), ("generator", "model.onnx")):
            yield f"graph: {name}", inside(task, {slot: graph})
    graph = next(iter(_graphs()))[1]
    eight = {"task": "classifier", "int8": {"default": True}}
    for each in (graph, good("generator")["model.onnx"], b""):
        whole = bundle.seal({**good("classifier"), "model.int8.onnx": each}, eight)
        yield "graph of eight bits", packed(tar_of(whole))
    yield (
        "the other task's graph",
        inside("classifier", {"model.onnx": good("generator")["model.onnx"]}),
    )
    yield (
        "the other task's codec",
        inside("classifier", {"codec.json": good("generator")["codec.json"]}),
    )
    yield (
        "the other task's weights",
        inside("generator", {"weights.safetensors": good("classifier")["weights.safetensors"]}),
    )
    yield (
        "the other task's words",
        inside("generator", {"config.json": good("classifier")["config.json"]}),
    )


QUICK = (_names, _kinds, _records, _headers, _forms, _weights, _documents, _programs, _within)


def archives(every: int = 1, start: int = 0) -> Iterator[Case]:
    """Yield archives that mean ill, or every so many-th of each kind."""
    for kind in QUICK:
        yield from itertools.islice(kind(), start % every, None, every)
    yield from _bombs(every, start)


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Make folders that mean ill, and yield what each is and where."""
    for number, (name, spoil) in enumerate(_SPOILT.items()):
        folder = root / f"folder-{number}"
        for each, content in sealed(good("classifier")).items():
            (folder / each).parent.mkdir(parents=True, exist_ok=True)
            (folder / each).write_bytes(content)
        spoil(folder)
        yield name, folder


def _linked(name: str, target: str) -> Any:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return spoil


def _fifo(folder: Path) -> None:
    (folder / "codec.json").unlink()
    os.mkfifo(folder / "codec.json")


def _sparse(folder: Path) -> None:
    with (folder / "weights.safetensors").open("r+b") as file:
        file.truncate(1 << 40)


_SPOILT: Mapping[str, Any] = {
    **{f"link for {slot}": _linked(slot, "/etc/passwd") for slot in SLOTS},
    "link to itself": _linked("codec.json", "codec.json"),
    "link to a device": _linked("codec.json", "/dev/zero"),
    "link to everything": _linked("more", "/"),
    "pipe": _fifo,
    "a terabyte of nothing": _sparse,
    "folder for a file": lambda folder: (
        (folder / "codec.json").unlink(),
        (folder / "codec.json").mkdir(),
    ),
    "deep folders": lambda folder: (folder / "/".join(["a"] * 200)).mkdir(parents=True),
    "a pickle": lambda folder: (folder / "model.pkl").write_bytes(pickle.dumps(_GADGETS[0])),
    "a cache": lambda folder: (folder / "__pycache__").mkdir(),
}


def mutations(count: int, seed: int) -> Iterator[Case]:
    """Yield good bundles in which something has changed: packed, unpacked, or under a manifest that fits."""
    dice = random.Random(seed)
    wholes = {task: tar_of(sealed(good(task), task)) for task in models.TASKS}
    for number in range(count):
        task = models.TASKS[number % 2]
        kind = number % 8
        if kind == 0:
            yield "packed", mutated(packed(wholes[task]), dice)
        elif kind == 1:
            yield "unpacked", packed(mutated(wholes[task], dice))
        else:
            names = [*good(task)]
            slot = dice.choice(
                [*names, "weights.safetensors", "model.onnx", "codec.json", "config.json"]
            )
            yield f"within {slot}", inside(task, {slot: mutated(good(task)[slot], dice)})


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Flip bits, cut, swap blocks, repeat, overwrite."""
    made = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(made) + 1)
        to = min(len(made), at + dice.choice((1, 4, 8, 64, 512)))
        kind = dice.randrange(8)
        if kind in {0, 1, 2} and at < len(made):
            made[at] ^= 1 << dice.randrange(8)
        elif kind == 3:
            del made[at:]
        elif kind == 4:
            del made[at:to]
        elif kind == 5:
            other = dice.randrange(len(made) + 1)
            made[at:to], made[other : other + to - at] = made[other : other + to - at], made[at:to]
        elif kind == 6:
            made[at:at] = made[at:to] * dice.choice((1, 3))
        else:
            made[at:to] = bytes([dice.choice(b'\0\xff09[{"-eE.')]) * (to - at)
    return bytes(made)
