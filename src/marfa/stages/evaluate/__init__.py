"""evaluate: the final figures, beside what is reached without a network."""

from __future__ import annotations

from typing import Any

from marfa import files, record
from marfa.console import Silence, Talk
from marfa.container.client import Client
from marfa.models.learning import keep_memory, thread_count, threads
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings
from marfa.settings import outcome
from marfa.stages.evaluate import classifier, generator

STAGE = "evaluate"


PER_LABEL = 250
"""Test texts of each label that a server is asked about, as the tutorial does."""


def evaluate(
    settings: Settings,
    talk: Talk | None = None,
    *,
    against: str = "",
    per_label: int = PER_LABEL,
) -> dict[str, Any]:
    """Measure a trained run on texts that it has not learnt from.

    Args:
        settings: they say which run.
        talk: whom to tell; nobody if not given.
        against: the URL of a running server, or the name of a deployment, to ask instead of the
            network; nothing is written then.
        per_label: how many test texts of each label such a server is asked about; 0 for all.

    Returns:
        The figures of the network and of honest baselines, and one honest sentence.

    Raises:
        DataError: if nothing has been prepared or trained.
        NetworkError: if the server does not answer.
    """
    talk = talk or Silence()
    prepared, run = settings.folder / "dataset", settings.run_folder
    inputs = record.outputs(prepared, "prepare", hint=settings.command("prepare"))
    if against:
        from marfa.aws.address import address  # what AWS is asked with stays out of training jobs

        client = Client(address(against, settings.cloud))
        match settings:
            case ClassifierSettings():
                asked = classifier.ask(prepared, client, talk, per_label)
            case _:
                asked = generator.ask(prepared, client, talk)
        return {"task": settings.task, **asked}
    inputs |= record.outputs(run, "train", inputs, hint=settings.command("train"))
    deciding = outcome(settings.package) if isinstance(settings, ClassifierSettings) else {}
    with files.lock(run):
        if record.is_done(run, STAGE, inputs, deciding):
            talk.say(f"evaluate: nothing has changed, {run / 'report.html'} is kept")
        else:
            record.forget(run, STAGE)
            keep_memory()
            with threads(thread_count(settings.train)):
                match settings:
                    case ClassifierSettings():
                        paths = classifier.measure(settings, prepared, run, talk)
                    case GeneratorSettings():
                        paths = generator.measure(settings, prepared, run, talk)
            record.write(run, STAGE, inputs, deciding, paths)
    return {**files.read_json(run / "metrics.json"), "report": str(run / "report.html")}
