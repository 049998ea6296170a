"""How well texts are sorted, beside what is reached without a network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.torch import load

from marfa import files
from marfa.console import Talk
from marfa.container.client import Client
from marfa.data import dataset
from marfa.data.dataset import Split
from marfa.errors import DataError
from marfa.evaluation import baseline, metrics, refusal, report
from marfa.evaluation.verdict import verdict
from marfa.models.classifier import Classifier
from marfa.models.scoring import probabilities
from marfa.recipes import ClassifierSettings
from marfa.settings import ModelSettings, from_mapping
from marfa.stages.evaluate import made_with
from marfa.text.vocab import RARE

NETWORK, WORDS, MAJORITY = "network", "bag of words", "majority class"
_MISTAKES = 10
_SAMPLED = 1
"""Seed of the choice of texts that a server is asked about."""

Floats = npt.NDArray[np.float64]


def measure(settings: ClassifierSettings, prepared: Path, run: Path, talk: Talk) -> list[Path]:
    """Measure a trained run on the test split, beside n-gram logistic regression and majority class.

    Args:
        settings: `package` says below which share of known words no answer is given.
        prepared: the dataset's folder.
        run: the run's folder, which metrics.json and report.html are written to.
        talk: whom to tell.

    Returns:
        The files written.
    """
    described = files.read_json(prepared / "dataset.json")
    config = files.read_json(run / "config.json")
    labels = described["labels"]
    training, test = dataset.read_split(prepared, "train"), dataset.read_split(prepared, "test")
    truth_N = np.asarray(test.labels_N, dtype=np.int64)
    network = _network(config, run)
    found: dict[str, npt.NDArray[np.floating]] = {NETWORK: _probabilities(network, test, talk)}
    refuses = _refusal(settings, prepared, network, talk)
    talk.say("evaluate: bag-of-words baseline")
    texts = list(dataset.read_texts(prepared, "test"))
    trained_N = np.asarray(training.labels_N, dtype=np.int64)
    trained_on = list(dataset.read_texts(prepared, "train"))
    found[WORDS] = baseline.bag_of_words(trained_on, trained_N, texts, labels)
    found[MAJORITY] = baseline.majority(trained_N, len(test), len(labels))
    systems = {name: metrics.measure(truth_N, p_NC, labels) for name, p_NC in found.items()}
    comparison = metrics.compare(truth_N, found[NETWORK], found[WORDS])
    document = {
        "format": 1,
        "task": settings.task,
        "labels": labels,
        "summary": _summary(systems),
        "refusal": refuses,
        "trained_on": {"data": Path(config["data"]["data"]).name, "texts": len(training)},
        "systems": systems,
        "comparison": comparison,
        "verdict": verdict(systems[NETWORK], WORDS, systems[WORDS], comparison),
    }
    paths = [run / "metrics.json", run / "report.html"]
    files.write_json(paths[0], document)
    page = report.page(
        {
            "title": f"{settings.run_name}: what it reaches",
            "name": settings.run_name,
            "preset": config["preset"],
            "labels": labels,
            "network": systems[NETWORK],
            "baselines": {WORDS: systems[WORDS], MAJORITY: systems[MAJORITY]},
            "comparison": comparison,
            "history": made_with.history(run),
            "lengths": {
                **metrics.histogram(np.asarray(training.lengths_N, dtype=np.int64)),
                "cut": described["settings"]["max_words"],
            },
            "mistakes": _mistakes(truth_N, found[NETWORK], texts, labels, test),
            "settings": {**config["data"], **config["model"], **config["train"]},
            "data": {
                **{key: described[key] for key in ("splits", "duplicates", "empty")},
                "source": {**described["source"], "data": Path(described["source"]["data"]).name},
                "test texts that would be declined": _declined(refuses["min_known_share"], test),
            },
            "versions": made_with.versions(),
        }
    )
    files.write_bytes(paths[1], page.encode("utf-8"))
    return paths


def _network(config: dict[str, Any], run: Path) -> Classifier:
    shape = from_mapping(ModelSettings, config["model"], where=str(run / "config.json"))
    network = Classifier(shape, config["vocabulary"], len(config["labels"]))
    network.load_state_dict(load((run / "weights.safetensors").read_bytes()))
    return network


def _refusal(
    settings: ClassifierSettings, prepared: Path, network: Classifier, talk: Talk
) -> dict[str, Any]:
    """Return below which share of known words a text is declined, as told or as chosen."""
    if told := settings.package.min_known_share:
        return {"chosen": False, "min_known_share": told}
    validation = dataset.read_split(prepared, "validation")
    read = np.flatnonzero(validation.lengths_N)
    labels_N = np.asarray(validation.labels_N, dtype=np.int64)[read]

    def judge(texts: Sequence[npt.NDArray[np.integer[Any]]]) -> Floats:
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(ids) for ids in texts])])
        return probabilities(network, Split(np.concatenate(texts), offsets, labels_N[: len(texts)]))

    found = refusal.choose([validation.text_ids(int(i)) for i in read], labels_N, judge, RARE)
    by = "chosen on" if found["chosen"] else "the default, for want of"
    talk.say(
        f"evaluate: declines where fewer than {found['min_known_share']:.0%} of the words are known "
        f"({by} validation texts)"
    )
    return found


def _probabilities(network: Classifier, test: Split, talk: Talk) -> Floats:
    with talk.bar("testing", len(test), "texts") as bar:
        found_NC = probabilities(network, test, bar.update)
    return _without_unreadable(found_NC, test)


def _without_unreadable(found_NC: Floats, test: Split) -> Floats:
    """Give no opinion on texts without a known word: no door would answer on them."""
    found_NC[_known(test) == 0] = 1 / found_NC.shape[1]
    return found_NC


def _declined(least: float, test: Split) -> int:
    """Count the test texts with too few known words for an answer; the figures count them all."""
    return int((_known(test) < least * test.lengths_N).sum())


def _known(test: Split) -> npt.NDArray[np.int64]:
    """Count the words of each text that have an id of their own, shape (N,)."""
    known = np.asarray(test.ids) > RARE
    return np.add.reduceat(known, test.offsets[:-1].astype(np.int64), dtype=np.int64)


def _summary(systems: dict[str, dict[str, Any]]) -> dict[str, Any]:
    network = systems[NETWORK]
    return {
        "accuracy": network["accuracy"],
        "accuracy_95": network["accuracy_95"],
        "n": network["n"],
        "baseline_accuracy": systems[WORDS]["accuracy"],
        "majority_accuracy": systems[MAJORITY]["accuracy"],
    }


def _mistakes(
    truth_N: npt.NDArray[np.int64],
    found_NC: npt.NDArray[np.floating],
    texts: list[str],
    labels: list[str],
    test: Split,
) -> list[dict[str, Any]]:
    """Return the texts that the network is surest and wrong about."""
    said_N = found_NC.argmax(axis=1)
    sure_N = np.where(said_N == truth_N, -1.0, found_NC.max(axis=1))
    worst = [int(i) for i in np.argsort(-sure_N, kind="stable")[:_MISTAKES] if sure_N[i] >= 0]
    return [
        {
            "text": texts[i],
            "truth": labels[truth_N[i]],
            "predicted": labels[said_N[i]],
            "probability": float(sure_N[i]),
            "words": int(test.lengths_N[i]),
        }
        for i in worst
    ]


def ask(prepared: Path, client: Client, talk: Talk, per_label: int) -> dict[str, Any]:
    """Send test texts to a running server and measure what it says.

    Args:
        prepared: the dataset's folder.
        client: the server.
        talk: whom to tell.
        per_label: texts of each label that are sent, always the same ones; 0 for all.
    """
    labels = files.read_json(prepared / "dataset.json")["labels"]
    all_N = np.asarray(dataset.read_split(prepared, "test").labels_N, dtype=np.int64)
    chosen_N = _some(all_N, per_label)
    truth_N = all_N[chosen_N]
    found_NC = np.zeros((len(truth_N), len(labels)))
    texts = compress(dataset.read_texts(prepared, "test"), chosen_N)
    with talk.bar("asking", len(truth_N), "texts") as bar:
        for done, answer in enumerate(client.judge(texts)):
            found_NC[done] = _row(answer, labels, client.url)
            bar.update(done + 1)
    measured = metrics.measure(truth_N, found_NC, labels)
    # Answers come with four digits: too few for the logarithm of a text that was judged wrong.
    del measured["log_loss"]
    part = "" if len(truth_N) == len(all_N) else f" {len(truth_N)} of"
    return {
        "systems": {client.url: measured},
        "verdict": f"{client.url} is right on {measured['accuracy']:.2%} of{part} "
        f"{len(all_N)} test texts.",
    }


def _some(labels_N: npt.NDArray[np.int64], per_label: int) -> npt.NDArray[np.bool_]:
    """Choose so many texts of each label, the same ones every time; shape (N,)."""
    chosen_N = np.zeros(len(labels_N), dtype=bool)
    order_N = np.random.default_rng(_SAMPLED).permutation(len(labels_N))
    for label in np.unique(labels_N):
        of_label = order_N[labels_N[order_N] == label]
        chosen_N[of_label[: per_label or len(of_label)]] = True
    return chosen_N


def _row(answer: dict[str, Any], labels: list[str], url: str) -> Floats:
    """Return an answer's probabilities in our order; the label decides a tie left by rounding."""
    try:
        shares = answer["probabilities"]
        if not shares:
            return np.full(len(labels), 1 / len(labels))
        row_C = np.array([float(shares[label]) for label in labels])
        if answer["label"] is not None:
            row_C[labels.index(answer["label"])] += 1e-9
        return np.asarray(row_C / row_C.sum())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"its labels are not those of the test texts ({', '.join(labels)})"
        raise DataError(
            message, where=url, hint="give the same recipe, --preset and --data"
        ) from error
