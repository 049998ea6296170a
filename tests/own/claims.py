"""What must hold of the page's own engine, whoever runs it: a node, or a browser."""

import html
import json
import unicodedata
from dataclasses import replace
from html import entities
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from snowballstemmer.porter_stemmer import PorterStemmer
from tests import untrained
from tests.own import texts

from marfa import bundle, loading
from marfa.bundle import Bundle
from marfa.container import contract, golden, own
from marfa.container.messages import JSON, TEXT
from marfa.engines import page_weights, sampling, weights
from marfa.engines.numpy_engine import NumpyEngine
from marfa.model import configuration
from marfa.predictor import Predictor
from marfa.settings import ModelSettings, TextSettings, WriterSettings
from marfa.text import scripts, words
from marfa.text.clean import clean

TUTORIAL = TextSettings(
    alphabet="latin", stop_words="english", stem="porter", vocabulary=900, max_words=9, crop="head"
)
PLAIN = ModelSettings(
    embedding=8, hidden=5, layers=2, bidirectional=False, pooling="last", skip=False
)
SHAPES = {
    "tutorial": (PLAIN, TUTORIAL),
    "deep": (
        replace(PLAIN, bidirectional=True, pooling="max", skip=True),
        TextSettings(vocabulary=900, max_words=7, crop="tail"),
    ),
    "default": (ModelSettings(embedding=9, hidden=6), TextSettings(vocabulary=900)),
    "long": (replace(PLAIN, layers=1), TextSettings(vocabulary=900, max_words=1500)),
}
WRITERS = {
    "one-hot": WriterSettings(input="one-hot", hidden=6, layers=1),
    "three": WriterSettings(embedding=5, hidden=12, layers=3),
}


class Engine(Protocol):
    def __call__(self, model: bytes, jobs: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Answer every question of every kind, in order."""


def exact(made: Bundle) -> bytes:
    full = weights.read(made.contents["weights.safetensors"])
    return own.write(made, page_weights.exact(full))


def model_of(made: Bundle | Path) -> tuple[Bundle, Any]:
    made = bundle.load(made) if isinstance(made, Path) else made
    return made, loading.of(made, engine="numpy")


def judges_as_python(engine: Engine, made: Bundle | Path, count: int) -> None:
    """Words, numbers and labels are Python's; scores within 1e-4, and with the file's own weights."""
    made, model = model_of(made)
    asked = texts.some(count, texts.WORDS)
    expected, encoded = model.judge(asked), [model.codec.encode(text) for text in asked]
    found = engine(exact(made), {"judge": asked})["judge"]
    for text, one, read, other in zip(asked, expected, encoded, found, strict=True):
        assert (read.ids, read.known, read.total, list(read.unknown)) == (
            *(other["ids"], other["known"], other["total"], other["unknown"]),
        ), ascii(text)
        places = [list(place) for place in model.codec.locate(text)[1]]
        assert other["places"] == places, ascii(text)
        shares = list(one.probabilities.values())
        assert bool(shares) == (other["shares"] is not None)
        if shares:
            assert np.abs(np.array(shares) - other["shares"]).max() <= 1e-4, ascii(text)
            near = np.diff(np.sort(shares))[-1] < 1e-5
            assert near or np.argmax(shares) == np.argmax(other["shares"]), ascii(text)
    assert sum(each["shares"] is not None for each in found) > count / 20
    # with the weights that the page really gets, compared with Python's engine on those very weights
    rounded = {name: each.floats for name, each in own.tensors(made).items()}
    model.engine = NumpyEngine(_shape(made), rounded, model.codec.vocab.size, len(model.labels))
    few = asked[: count // 4]
    found = engine(own.file(made), {"judge": few})["judge"]
    for one, other in zip(model.judge(few), found, strict=True):
        if one.probabilities:
            shares = np.array(list(one.probabilities.values()))
            assert np.abs(shares - other["shares"]).max() <= 1e-4
    if "page" not in made.manifest:
        return  # an untrained model's weights were not compared with the page's
    # and with the bundle's: another label only where two were nearer than the manifest's tolerance
    tolerance = made.manifest["page"]["tolerance"]
    for text, one, other in zip(few, expected, found, strict=False):
        shares = np.array(list(one.probabilities.values()))
        if shares.size and shares.argmax() != np.argmax(other["shares"]):
            assert np.diff(np.sort(shares))[-1] <= 2 * tolerance, ascii(text)


def explains_as_python(engine: Engine, made: Bundle | Path, count: int) -> None:
    """The same words in the same places, and their weights within 1e-4; a long text in stretches."""
    made, model = model_of(made)
    many = 2 * model.codec.settings.max_words
    some = [f"a good film {text} a dull evening" for text in texts.some(count, texts.WORDS)]
    plain = [
        " ".join(texts.WORDS[at % 29] for at in range(number, number + 700)) for number in (0, 9)
    ]
    odd = [
        "a good &#x30 film",
        "a good film a" + "\u0316\u0301" * 40,
        "movie movies",
        "a film qzxjv was",
    ]
    asked = [*some, *plain, *odd, "film " * many]
    documents = [{"text": text, "explain": True} for text in asked]
    found = engine(exact(made), {"answer": documents})["answer"]
    explained = 0
    for text, one, other in zip(asked, model.explain(asked), found, strict=True):
        told = other["body"].get("explanation") if other["status"] == 200 else None
        assert (told is None) == (one.explanation is None), ascii(text)
        if not one.explanation or not told:
            continue
        explained += 1
        near = abs(one.probabilities[one.label or ""] - 0.5) < 1e-5
        assert near or told["label"] == one.explanation.label
        words = [(word.text, word.start, word.end) for word in one.explanation.words]
        assert [(word["text"], word["start"], word["end"]) for word in told["words"]] == words
        for word, its in zip(one.explanation.words, told["words"], strict=True):
            assert near or abs(word.weight - its["weight"]) <= 1.51e-4, ascii(text)
    assert explained > count / 4


def declines_as_python(engine: Engine, made: Bundle | Path, count: int) -> set[str]:
    """Texts of every script, and of two: the same are declined in the same words. Return the kinds."""
    made, model = model_of(made)
    random = np.random.default_rng(5)
    some = texts.some(count, texts.WORDS)
    starts = [first for first, _, _ in scripts.RANGES]
    spans = [
        " ".join("".join(chr(first + int(at)) for at in random.integers(0, 5, 6)) for _ in range(4))
        for first in (int(random.choice(starts)) for _ in range(count // 4))
    ]
    mixed = [f"{a} {b}" for a, b in zip(spans, [*some[::2], *some[1::2]], strict=False)]
    asked = [
        *some,
        *spans,
        *mixed,
        "",
        "film",
        "film qzxjv",
        "<b>\u0641&#1610;\u0644\u0645 \u0395\u0395</b>",
    ]
    found = engine(exact(made), {"answer": asked})["answer"]
    kinds = set()
    for text, other in zip(asked, found, strict=True):
        response = contract.respond(
            model, contract.Request("POST", "/invocations", JSON, JSON, _asking(text))
        )
        body, own_body = json.loads(response.body), other["body"]
        assert response.status == other["status"], ascii(text)
        told = ("reason", "known_words") if response.status == 200 else ("title",)
        for key in ("refused", *told):
            assert body.get(key) == own_body.get(key), ascii(text)
        if response.status != 200:
            assert body["detail"].startswith(own_body["detail"])
        kinds.add(body.get("refused", ""))
    return kinds


def _asking(text: str) -> bytes:
    return json.dumps({"text": text}).encode("ascii")


def _shape(made: Bundle) -> ModelSettings:
    return ModelSettings(**configuration(made)["model"])


def answers_golden_requests(engine: Engine, path: Path) -> None:
    """Every recorded request that the page could send is answered as recorded."""
    made, model = model_of(path)
    kind = "answer" if isinstance(model, Predictor) else "write"
    asked, expected = [], []
    for request, response in golden.pairs(made.contents["golden.jsonl"]):
        document = _document(request, kind)
        if request.method == "POST" and document is not None:
            asked.append(document)
            expected.append(response)
    assert len(asked) >= 5
    found = engine(exact(made), {kind: asked})[kind]
    for document, response, other in zip(asked, expected, found, strict=True):
        assert other["status"] == response.status, document
        body = json.loads(response.body)
        if response.status != 200:
            assert body["detail"].startswith(other["body"]["detail"])
            continue
        for key, value in body.items():
            _alike(value, other["body"][key])


def _document(request: Any, kind: str) -> Any:
    """Return what the page would ask, where the request is of that form."""
    if request.accept not in {JSON, "", "*/*"}:
        return None
    try:
        text = request.body.decode()
        if kind == "answer" and request.content_type.startswith(TEXT):
            return text
        document = json.loads(text) if request.content_type.startswith(JSON) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if kind == "answer":
        is_asked = isinstance(document.get("text"), str)
        return document if is_asked and isinstance(document.get("explain", False), bool) else None
    if "continuation" in document or not {"length", "seed"} <= document.keys():
        return None
    try:
        drawn = {k: document[k] for k in ("temperature", "top_k", "top_p", "seed") if k in document}
        sampling.Sampling(**drawn)
    except Exception:  # noqa: BLE001 - the form of the page refuses it
        return None
    return {"temperature": 0.8, "top_k": 0, "top_p": 1, **document}


def _alike(one: Any, other: Any) -> None:
    if isinstance(one, float):
        assert abs(one - other) <= 2.1e-4
    elif isinstance(one, list):
        assert len(one) == len(other)
        for value, its in zip(one, other, strict=True):
            _alike(value, its)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            _alike(value, other[key])
    else:
        assert one == other


def goes_on_as_unbroken(engine: Engine, made: Bundle | Path) -> None:
    """A text that was stopped ends as one that was not, and as Python's, with and without a prompt."""
    made, model = model_of(made)
    drawn = {"length": 50, "temperature": 1, "top_k": 0, "top_p": 1}
    asked = [
        {"prompt": prompt, "seed": seed, "stopped": stopped, **drawn}
        for prompt in ("", "the ")
        for seed in range(4)
        for stopped in (0, 1, 20)
    ]
    for question, found in zip(
        asked, engine(exact(made), {"resume": asked})["resume"], strict=True
    ):
        assert found["resumed"] == found["whole"], question
        expected = model.generate(
            question["prompt"], length=50, temperature=1, seed=question["seed"]
        )
        assert question["prompt"] + found["whole"] == expected, question


def writes_as_python(engine: Engine, made: Bundle | Path, count: int) -> None:
    """The numbers of the next character are Python's, within 1e-4, whatever was read."""
    made, model = model_of(made)
    random = np.random.default_rng(3)
    rounded = {name: each.floats for name, each in own.tensors(made).items()}
    asked = [
        {
            "prompt": random.integers(0, model.codec.size, random.integers(1, 60)).tolist(),
            "rest": random.integers(0, model.codec.size, 40).tolist(),
        }
        for _ in range(count)
    ]
    full = weights.read(made.contents["weights.safetensors"])
    for content, tensors in ((exact(made), full), (own.file(made), rounded)):
        its = type(model.engine)(
            WriterSettings(**configuration(made)["model"]), tensors, model.codec.size
        )
        for question, rows in zip(asked, engine(content, {"logits": asked})["logits"], strict=True):
            reading = its.open(np.array(question["prompt"]))
            expected = [reading.logits_V, *(reading.step(token) for token in question["rest"])]
            assert np.abs(np.array(rows) - np.array(expected)).max() <= 1e-4


def draws_as_python(engine: Engine) -> None:
    random = np.random.default_rng(4)
    asked = [
        [int(random.integers(0, 1 << 53)), int(random.integers(0, 10_000))] for _ in range(500)
    ]
    found = engine(b"", {"uniform": [*asked, [0, 0], [sampling.MAX_SEED, 1 << 30]]})["uniform"]
    asked += [[0, 0], [sampling.MAX_SEED, 1 << 30]]
    assert found == [sampling.uniform(*each) for each in asked]


_ENDS = """
s es ies sses ss ed eed ing ied y ly ational tional enci anci izer abli alli entli eli ousli
ization ation ator alism iveness fulness ousness aliti iviti biliti icate ative alize iciti ical
ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive
ize e l ll le
"""
_STARTS = """
a be sky y yy by ayy tr hop hopp fall fil fizz agre plast conflat trou siz motor happ relat condit val
hesit digit conform radic different vil analog vietnam predic operat feudal decis hope callous formal
sens triplic form electr good reviv allow infer airlin gyroscop adjust defens irrit replac depend adopt
homolog commun activ angular effect bowdler prob rat ceas contr rol box snow toy eyy xyz
\U00010400a \U00010400 a\U00010400 \u00e9t\u00e9 \u0434\u043e\u043c i9 8
"""


def stems_as_snowball(engine: Engine) -> None:
    """Porter's steps on English words, on all their endings, and on what is no word at all."""
    stemmer = PorterStemmer()
    starts, ends = _STARTS.split(), _ENDS.split()
    words = [start + end for start in starts for end in ("", *ends)]
    words += [word for word in texts.WORDS if word]
    found = engine(b"", {"stem": words})["stem"]
    wrong = [
        (word, one) for word, one in zip(words, found, strict=True) if stemmer.stemWord(word) != one
    ]
    assert not wrong, ascii(wrong[:20])


def takes_late_words_for_rare_as_python(engine: Engine) -> None:
    """Of a text of endless new words so many are stemmed in Python as on the page."""
    made, model = model_of(untrained.judge(*SHAPES["tutorial"]))
    asked = "movies " + " ".join(f"w{number}s" for number in range(words.MOST_STEMMED))
    asked += " films the movies"
    read = model.codec.encode(asked)
    (other,) = engine(exact(made), {"judge": [asked]})["judge"]
    assert (read.ids, read.known, read.total) == (other["ids"], other["known"], other["total"])
    assert read.known == 2


def cleans_as_python(engine: Engine) -> None:
    """Every entity that HTML names, every number, and every letter that could stand for one of a tag."""
    made = untrained.judge(*SHAPES["tutorial"])
    tables = own._codec(made.json("codec.json"))
    tables = {key: tables[key] for key in ("entities", "numbers")}
    names = [f"&{name}" for name in entities.html5] + ["&nosuch;", "&notit;", "&ampx", "&a1"]
    names += [f"&#{number};" for number in (*range(0x3000), *range(0xD700, 0xE100))]
    names += [f"&#x{number:x}" for number in (*range(0xFD00, 0xFFFF + 3), 0x10FFFF, 0x110000)]
    names += [
        f"&#{(plane << 16) + last}" for plane in range(17) for last in (0xFFFD, 0xFFFE, 0xFFFF)
    ]
    (resolved,) = engine(b"", {"resolve": [{"names": names, "tables": tables}]})["resolve"]
    assert resolved == [html.unescape(name) for name in names]
    odd = [chr(each) for each in range(0x80, 0x2200)]
    tags = [
        f"<{name}>x</{other}>y" for name in ("script", "style") for other in (name, name.upper())
    ]
    tags += [
        text.replace(letter, each)
        for letter in "scipt"
        for text in ("<script>x</script>", "<style >x</style >")
        for each in odd
        if each.lower() != each or each in "\u0131\u017f\u212a"
    ]
    tags += [f"<script{each}>x</script{each}>" for each in odd]
    tags += ["<!-- a --> b", "<!-- a", "<!---->", "<!--<script>-->x</script>", "< b>", "<b", "<?x>"]
    tables = {"entities": {}, "numbers": {}}
    tags = [text for text in tags if all(unicodedata.category(each) != "Cn" for each in text)]
    found = engine(b"", {"clean": [{"text": text, "tables": tables} for text in tags]})["clean"]
    assert found == [clean(text) for text in tags]


def knows_unicode_as_python(engine: Engine) -> list[int]:
    """Return the characters, of those that Python knows, which are read in another way."""
    kinds, lower, composed = [], {}, {}
    for point in range(0x110000):
        character = chr(point)
        category = unicodedata.category(character)
        kind = {"Cn": "?", "Cf": "f"}.get(category, "w" if category[0] in "LN" else ".")
        kinds.append("m" if category[0] == "M" else kind)
        if character.lower() != character:
            lower[point] = character.lower()
        if unicodedata.normalize("NFC", character) != character:
            composed[point] = unicodedata.normalize("NFC", character)
    asked = {"classes": "".join(kinds), "lower": lower, "composed": composed}
    (found,) = engine(b"", {"differing": [asked]})["differing"]
    return list(found)
