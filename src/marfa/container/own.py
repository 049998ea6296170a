"""The page's own model: one file, made of a bundle, with which the page answers without a server.

    4 bytes   length of the first part, little-endian
    gzip      a JSON document: what the model is, how text becomes numbers, where each tensor stands
    gzip      the tensors one after the other, float32 before int8

Two parts since they pack differently: text by what it repeats, weights only by how often each occurs.
The page unpacks them by itself, so that any host can send the file as it is; its size is what travels.
"""

from __future__ import annotations

import html
import json
import zlib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict
from html import entities
from typing import Any

from marfa.bundle import Bundle
from marfa.engines import page_weights, weights
from marfa.engines.page_weights import Tensors
from marfa.model import configuration
from marfa.text import scripts, words
from marfa.text.alphabet import Alphabet
from marfa.text.codec import Codec

FORMAT = 1
"""Of the file; a new one has a new name, so that no browser takes an old file for it."""

LIMIT = 1_500_000
"""Bytes that the file has at most where it can be: a minute at 200 kbit/s.

A model that takes more with its coarsest weights is sent all the same, and `package` warns of it."""

_STEMMERS = {"none", "porter"}
"""Those that the page has."""


def is_possible(bundle: Bundle) -> bool:
    """Say whether the page can read texts as this model does: of stemmers it has Porter's alone."""
    codec: Any = bundle.json("codec.json")
    return codec.get("text", {}).get("stem", "none") in _STEMMERS


def name(bundle: Bundle) -> str:
    """Return the file's name, which says exactly what is in it."""
    return f"model-{bundle.model_id}-{FORMAT}.bin"


def file(bundle: Bundle) -> bytes:
    """Make the file: with the finest weights with which it is small enough, else the coarsest.

    Args:
        bundle: a verified bundle that `is_possible`.
    """
    return write(bundle, tensors(bundle))


def tensors(bundle: Bundle) -> Tensors:
    """Return the weights that the page computes with, rounded as `file` rounds them."""
    full = weights.read(bundle.contents["weights.safetensors"])
    rungs = page_weights.ladder(configuration(bundle)["task"], full)
    left = LIMIT - len(_head(bundle, {}))
    place = bisect_left(rungs, True, key=lambda rung: len(_body(rung())[0]) <= left)
    return rungs[min(place, len(rungs) - 1)]()


def write(bundle: Bundle, chosen: Tensors) -> bytes:
    """Write the file with weights of one's own choice.

    Args:
        bundle: what the weights are of.
        chosen: every tensor.
    """
    body, listed = _body(chosen)
    head = _head(bundle, listed)
    return len(head).to_bytes(4, "little") + head + body


def _body(chosen: Tensors) -> tuple[bytes, dict[str, Any]]:
    """Pack tensors; return also where each stands."""
    listed: dict[str, Any] = {}
    body = bytearray()
    for tensor_name in sorted(chosen, key=lambda each: (bool(chosen[each].runs), each)):
        tensor = chosen[tensor_name]
        listed[tensor_name] = {"at": len(body), "shape": tensor.numbers.shape, "runs": tensor.runs}
        body += tensor.numbers.tobytes()
    return _packed(bytes(body), zlib.Z_HUFFMAN_ONLY), listed


def _packed(content: bytes, strategy: int) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31, 9, strategy)  # 31: gzip, without a time in it
    return packing.compress(content) + packing.flush()


def _head(bundle: Bundle, listed: Mapping[str, Any]) -> bytes:
    config = configuration(bundle)
    kept = ("task", "name", "labels", "min_known_share", "min_words", "scripts")
    head = {
        "format": FORMAT,
        "model": bundle.model_id,
        **{key: config[key] for key in kept if key in config},
        "shape": config["model"],
        "codec": _codec(bundle.json("codec.json")),
        "tensors": listed,
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
    return _packed(text.encode(), zlib.Z_DEFAULT_STRATEGY)


def _codec(document: Any) -> dict[str, Any]:
    """Return all that reading takes: the settings, the words or symbols, and Python's own tables."""
    if document.get("kind") == "characters":
        alphabet = Alphabet.from_json(document)
        return {"text": asdict(alphabet.settings), "symbols": list(alphabet.symbols)}
    codec = Codec.from_json(document)
    return {
        "text": asdict(codec.settings),
        "words": list(codec.vocab.words),
        "dropped": sorted(words.dropped(codec.settings)),
        "stemmed": [words.STEMMED.start, words.STEMMED.stop - 1],
        "apostrophes": words.APOSTROPHES,
        "alone": words.ALONE,
        "starts": words.STARTS,
        "ranges": scripts.RANGES,
        "named": scripts.NAMES,
        "entities": entities.html5,
        "numbers": _numbers(),
    }


def _numbers() -> dict[str, str]:
    """Return the numbers in `&#...;` that stand for something else than that character."""
    odd = [*range(0xA0), *range(0xFDD0, 0xFDF0)]
    odd += [plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)]
    meant = {number: html.unescape(f"&#{number};") for number in odd}
    return {str(number): text for number, text in meant.items() if text != chr(number)}
