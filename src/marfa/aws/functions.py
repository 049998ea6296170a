"""What Lambda functions are made of, as bytes: the model's own, numpy's layer, and an endpoint's."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from marfa import bundle as bundles
from marfa import files, loading, portable
from marfa.aws import wheels, zips
from marfa.bundle import GRAPHS, Bundle
from marfa.container import pages
from marfa.container.messages import DEFAULT_LIMITS

MODEL, SITE = "model", "site"
"""Folders in the zips, beside the package: the bundle, and the pages."""

_LAYER = "python"
"""The folder of a layer that Python looks into."""

_SEALED = {"format", "model", "files"}

_UNUSED = {
    *("tests", "testing", "f2py", "include", "_pyinstaller", "doc"),
    *("random", "fft", "polynomial", "ma", "ctypeslib"),
}
"""Folders of numpy that neither its own import nor an engine needs: tests and what helps to write them,
the doors to Fortran and C, and mathematics that no network here is made of."""

_UNUSED_ENDS = (".pyi", ".h", ".a", ".lib", ".c", ".pxd", ".typed")
_UNUSED_MODULES = {
    *("_simd", "_multiarray_tests", "_umath_tests", "_rational_tests", "_struct_ufunc_tests"),
    *("_operand_flag_tests", "conftest"),
}


def function_zip(bundle: Bundle, stemmer: bytes | None = None) -> bytes:
    """Make the zip of the function that holds the model; numpy is in a layer.

    Args:
        bundle: the model.
        stemmer: the wheel of snowballstemmer, where `stem` of the bundle says that it is needed; no
            bytes leave it out, which is good for an estimate of the size and nothing else.

    Returns:
        The zip. In it the bundle has its name and its golden requests, but neither the graphs of an
        engine that is not there nor the code, which is this marfa's own.
    """
    kept = {
        name: content
        for name, content in bundle.contents.items()
        if name not in GRAPHS.values() and not name.startswith("code/")
    }
    extra = {key: value for key, value in bundle.manifest.items() if key not in _SEALED}
    found = {f"{MODEL}/{name}": each for name, each in bundles.seal(kept, extra).items()}
    found |= _package(portable.FUNCTION)
    found |= {f"marfa/{name}": content for name, content in portable.web().items()}
    name = stem(bundle)
    assert not name or stemmer is not None, "a text is read with a stemmer, which was not given"
    if name and stemmer:
        found |= _stemmer(stemmer, name)
    return zips.pack(found)


def stem(bundle: Bundle) -> str:
    """Return the stemmer that the model reads words with; empty where it stems none."""
    codec: Any = bundle.json("codec.json")
    name = str(codec.get("text", {}).get("stem", "none"))
    return "" if name == "none" else name


def _package(names: tuple[str, ...]) -> dict[str, bytes]:
    return {f"marfa/{name}": content for name, content in portable.read(names).items()}


def _stemmer(wheel: bytes, name: str) -> dict[str, bytes]:
    """Return the one stemmer; the package's own beginning would import those of thirty languages."""
    wanted = {f"{name}_stemmer.py", "basestemmer.py", "among.py", "COPYING"}
    found = {
        path: content
        for path, content in wheels.members(wheel, "snowballstemmer").items()
        if PurePosixPath(path).name in wanted
    }
    return {**found, "snowballstemmer/__init__.py": b""}


LAYER_BYTES = {"arm64": 11_760_000, "x86_64": 12_450_000}
"""About what a layer comes to, for whoever asks before its wheel is here."""


def recipe(wheel_sha256: str) -> str:
    """Name a layer by what it is made of and what is left out, so that it need not be made twice."""
    left_out = [sorted(_UNUSED), sorted(_UNUSED_MODULES), _UNUSED_ENDS]
    return files.hash_json([wheel_sha256, left_out])[:12]


def numpy_layer(wheel: bytes) -> bytes:
    """Make a Lambda layer of numpy, without what answering does not need.

    Args:
        wheel: numpy's wheel for Lambda's processor and Python.
    """
    return zips.pack(
        {
            f"{_LAYER}/{name}": content
            for name, content in wheels.members(wheel, "numpy").items()
            if _is_used(PurePosixPath(name))
        }
    )


def _is_used(path: PurePosixPath) -> bool:
    folders = set(path.parts[:-1])
    if ".dist-info" in path.parts[0]:  # its licences travel with it, the list of its files does not
        return "licenses" in folders or path.name == "METADATA"
    module = path.name.partition(".")[0]
    unused = module in _UNUSED_MODULES or path.name.endswith(_UNUSED_ENDS)
    return not folders & _UNUSED and not unused


def proxy_zip(bundle: Bundle) -> bytes:
    """Make the zip of the function before an endpoint, with the pages that it answers by itself.

    Args:
        bundle: the model behind the endpoint.
    """
    model = loading.of(bundle, engine="numpy")
    made = pages.pack(pages.files(model, DEFAULT_LIMITS) | pages.without())
    return zips.pack(
        {
            **{f"{SITE}/{name}": content for name, content in made.items()},
            **_package(portable.PROXY),
        }
    )
