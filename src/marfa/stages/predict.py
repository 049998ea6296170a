"""predict: the label of a few texts, in the shell or from Python, here or on a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marfa.container.client import Client
from marfa.errors import DataError
from marfa.explaining import Explanation, Word
from marfa.loading import predictor
from marfa.predictor import Judgement
from marfa.settings import CloudSettings, ServeSettings


def predict(
    model: str | Path,
    texts: Sequence[str],
    *,
    engine: str = ServeSettings.engine,
    explain: bool = False,
    against: str = "",
    cloud: CloudSettings | None = None,
) -> list[Judgement]:
    """Judge texts with a packaged model, or ask a server to.

    Args:
        model: a model.tar.gz or a bundle folder; not looked at where a server is asked.
        texts: texts as people wrote them.
        engine: "auto", "numpy" or "onnx".
        explain: say of each word, too, by how much it moves the label's probability.
        against: the URL of a running server, or the name of a deployment, to ask instead.
        cloud: region and profile, for a deployment.

    Returns:
        One judgement a text, in order; one without a label says why.

    Raises:
        BundleError: if the model is incomplete or altered, or judges no texts.
        NetworkError: if the server does not answer.
        DataError: if its answer is not marfa's.
        GoneError: if there is no such deployment.
    """
    if not against:
        loaded = predictor(model, engine)
        return loaded.explain(texts) if explain else loaded.judge(texts)
    from marfa.aws.address import address

    client = Client(address(against, cloud or CloudSettings()))
    return [_judgement(document, client.url) for document in client.judge(texts, explain=explain)]


def _judgement(document: dict[str, Any], where: str) -> Judgement:
    match document:
        case {"error": {"detail": str(reason)}}:
            return Judgement(None, None, {}, 0, 0, (), reason)
        case {
            "label": str() | None as label,
            "score": float() | int() | None as score,
            "probabilities": dict() as probabilities,
            "known_words": {"known": int(known), "total": int(total), "unknown": list(unknown)},
        }:
            reason = str(document.get("reason", ""))
            refused = str(document.get("refused", ""))
            why = (
                _explanation(document["explanation"], where) if "explanation" in document else None
            )
            counts = known, total, tuple(unknown)
            return Judgement(label, score, probabilities, *counts, reason, refused, why)
    raise _foreign(where)


def _explanation(document: Any, where: str) -> Explanation:
    match document:
        case {"label": str(label), "words": [*words]}:
            return Explanation(label, tuple(_word(word, where) for word in words))
    raise _foreign(where)


def _word(document: Any, where: str) -> Word:
    match document:
        case {
            "text": str(text),
            "start": int(start),
            "end": int(end),
            "weight": float() | int() as weight,
        }:
            return Word(text, start, end, weight)
    raise _foreign(where)


def _foreign(where: str) -> DataError:
    return DataError("the answer is not marfa's", where=where)
