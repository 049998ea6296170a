"""Models that are not whole, each in another way: no server may say that it is well with one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from marfa import bundle

Files = dict[str, bytes]
_WEIGHTS, _CODEC, _CONFIG, _GOLDEN = (
    "weights.safetensors",
    "codec.json",
    "config.json",
    "golden.jsonl",
)


def models(model: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """Write twenty of them.

    Args:
        model: a good model.tar.gz.
        place: an empty folder.

    Yields:
        What is wrong with it, and where it is.
    """
    good = bundle.load(model)
    extra = {k: v for k, v in good.manifest.items() if k not in ("format", "model", "files")}
    for number, (name, spoil) in enumerate(_ALTERED.items()):
        files = dict(good.members)
        spoil(files)
        yield name, _written(place / f"altered-{number}", files)
    for number, (name, spoil) in enumerate(_SEALED.items()):
        files = dict(good.contents)
        spoil(files)
        sealed = bundle.seal(files, extra)
        yield f"{name}, with a manifest that agrees", _written(place / f"sealed-{number}", sealed)
    data = model.read_bytes()
    for name, cut in {"half": data[: len(data) // 2], "noise": b"x" * 5000, "empty": b""}.items():
        path = place / f"{name}.tar.gz"
        path.write_bytes(cut)
        yield f"an archive: {name}", path
    (place / "hollow").mkdir()
    yield "an empty folder", place / "hollow"
    yield "no folder", place / "none"


def _flipped(name: str) -> Callable[[Files], None]:
    def spoil(files: Files) -> None:
        data = bytearray(files[name])
        data[len(data) // 2] ^= 0x10
        files[name] = bytes(data)

    return spoil


def _without(name: str) -> Callable[[Files], None]:
    return lambda files: files.__delitem__(name)


def _with(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(name, content)


def _cut(files: Files) -> None:
    files[_WEIGHTS] = files[_WEIGHTS][:-100]


def _of_the_future(files: Files) -> None:
    name = next(iter(files))
    files[name] = json.dumps({**json.loads(files[name]), "format": 99}).encode()


def _zeroed(files: Files) -> None:
    """Weights that load, and answer otherwise than they were recorded to."""
    data = files[_WEIGHTS]
    start = 8 + int.from_bytes(data[:8], "little")
    files[_WEIGHTS] = data[:start] + bytes(len(data) - start)


def _other_answers(files: Files) -> None:
    """A recording in which the first answer is another's."""
    first, second, *others = [json.loads(line) for line in files[_GOLDEN].splitlines()]
    first["response"]["body"] = base64.b64encode(b'{"label":"neither"}').decode()
    files[_GOLDEN] = b"".join(
        json.dumps(each).encode() + b"\n" for each in (first, second, *others)
    )


def _shuffled(files: Files) -> None:
    """A codec whose words have changed places: every id means another word."""
    document = json.loads(files[_CODEC])
    document["vocabulary"] = document["vocabulary"][::-1]
    files[_CODEC] = json.dumps(document).encode()


_ALTERED: dict[str, Callable[[Files], None]] = {
    "a bit of the weights": _flipped(_WEIGHTS),
    "a bit of the codec": _flipped(_CODEC),
    "a bit of the graph": _flipped("model.onnx"),
    "weights that end early": _cut,
    "no weights": _without(_WEIGHTS),
    "no codec": _without(_CODEC),
    "no configuration": _without(_CONFIG),
    "no recorded requests": _without(_GOLDEN),
    "a file too many": _with("more.bin", b"more"),
    "a format of the future": _of_the_future,
}
_SEALED: dict[str, Callable[[Files], None]] = {
    "zeros for weights": _zeroed,
    "other answers on record": _other_answers,
    "words in another order": _shuffled,
    "weights that end early": _cut,
    "a configuration that is a list": _with(_CONFIG, b"[]"),
}


def _written(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
