"""train --on sagemaker: one job for one result, whatever happens to this machine meanwhile."""

import json
from dataclasses import replace

import pytest
from tests.cloud import job_bodies
from tests.cloud.aws import account, bed
from tests.cloud.faults import Faults, PowerCut
from tests.cloud.recorder import Recorder

from marfa import bundle, files
from marfa.errors import BundleError, CloudError, GoneError, JobError, QuotaError, SettingsError
from marfa.recipes import resolve
from marfa.stages.train import train

__all__ = ["account", "bed"]


class Notes:
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    def warn(self, line):
        self.lines.append(f"! {line}")

    def bar(self, *_):
        from marfa.console import Silence

        return Silence().bar("", None)

    def __contains__(self, word):
        return any(word in line for line in self.lines)


def wanted(folder, **chosen):
    given = {"preset": "sample", "epochs": 4, "deployment": "soup", "workdir": str(folder)}
    return resolve("sentiment", {**given, **chosen}, folder=None)


@pytest.fixture
def there(bed, model_path, tmp_path):
    """Train on SageMaker, as a new process would; the model is one that was made before."""
    job_bodies.MODEL["path"] = model_path

    def there(notes=None, session=None, folder="work", **chosen):
        settings = wanted(tmp_path / folder, **chosen)
        cloud = bed.cloud(session)
        return train(settings, notes or Notes(), on="sagemaker", cloud=cloud)

    return there


def test_a_model_comes_home_with_the_very_bytes_that_package_makes(
    bed, there, model_path, tmp_path
):
    notes = Notes()
    found = there(notes)
    home = tmp_path / "work" / "sentiment-sample" / "job"
    assert (home / "model.tar.gz").read_bytes() == model_path.read_bytes()
    assert found["model"] == bundle.load(model_path).model_id
    assert found["sha256"] == files.hash_file(model_path)
    for name in ("report.html", "metrics.json", "history.jsonl"):
        assert (home / name).is_file()
    assert sorted(p.name for p in home.iterdir() if not p.name.startswith(".")) == [
        *("history.jsonl", "job.json", "job.record.json", "metrics.json", "model.tar.gz"),
        "report.html",
    ]
    for word in (
        "1 ml.m5.xlarge: $0.23 an hour; at most $0.23", "likely $0.0805 at most", "to send: ",
        "sent ", "epoch 4: loss", "computing", "uploading what it has made",
    ):  # fmt: skip
        assert word in notes
    assert len(notes.lines) == len(set(notes.lines)), "something was said twice"
    assert (found["seconds"], found["billed_seconds"], found["saved"]) == (120, 36, 0.7)
    assert found["cost"] == pytest.approx(0.23 * 36 / 3600, abs=1e-6)


def test_the_same_command_again_does_nothing(bed, there):
    first = there()
    session = bed.session()
    recorder = Recorder(session)
    assert there(session=session) == first
    assert recorder.calls == []


def test_another_machine_fetches_the_model_and_trains_nothing(bed, there):
    first = there()
    notes = Notes()
    again = there(notes, folder="elsewhere")
    assert again["sha256"] == first["sha256"]
    assert "has computed this already" in notes
    assert len(bed.jobs.of()) == 1


def test_a_second_job_is_not_begun_beside_one_that_computes_the_same(bed, there):
    cut_after(bed, there, "create_training_job")
    assert [job.status for job in bed.jobs.of()] == ["InProgress"]
    notes = Notes()
    there(notes)
    assert "computes this already" in notes
    assert len(bed.jobs.of()) == 1


def cut_after(bed, there, operation, kind="die-after", **chosen):
    """Let the power fail at the first call of an operation."""
    number = count_calls(bed, there, **chosen).index(operation) + 1
    bed.reset()
    session = bed.session()
    Faults(session, number, kind)
    with pytest.raises(PowerCut):
        there(session=session, folder="cut", **chosen)


def count_calls(bed, there, **chosen):
    session = bed.session()
    recorder = Recorder(session)
    there(session=session, folder="counted", **chosen)
    return [call.operation for call in recorder.calls]
