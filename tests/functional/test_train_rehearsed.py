"""train --on sagemaker --machine local: the very job as a process, and what a job is given to read."""

import pytest
from tests.conftest import SMALL
from tests.functional.test_train_there import Notes

import marfa
from marfa import bundle
from marfa.errors import DataError, JobError, SettingsError
from marfa.recipes import resolve
from marfa.stages.train import train, work

pytestmark = pytest.mark.job

ROWS = "text,label\n" + "".join(f"word{n} good,y\nword{n} bad,n\n" for n in range(40))
LOCAL = {**SMALL, "machine": "local"}


def settings(folder, **chosen):
    return resolve("sentiment", {**LOCAL, "workdir": str(folder / "work"), **chosen}, folder=None)


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.csv").write_text(ROWS)
    for label, word in (("y", "good"), ("n", "bad")):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for n in range(40):
            (tmp_path / "texts" / label / f"{n}.txt").write_text(f"word{n} {word}\n")
    return tmp_path


def test_the_job_makes_the_bytes_that_are_made_here_and_needs_no_account(
    model_path, tmp_path, monkeypatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    notes, chosen = Notes(), {**LOCAL, "workdir": "work"}  # which is no absolute path
    found = train(resolve("sentiment", chosen, folder=None), notes, on="sagemaker")
    home = tmp_path / "work" / "sentiment-sample" / "job"
    assert (home / "model.tar.gz").read_bytes() == model_path.read_bytes()
    assert (found["on"], found["model"]) == ("local", bundle.load(model_path).model_id)
    assert "a process on this machine" in notes
    assert sorted(p.name for p in home.iterdir() if not p.name.startswith(".")) == [
        *("history.jsonl", "job.json", "job.record.json", "metrics.json", "model.tar.gz"),
        "report.html",
    ]
    again = Notes()
    assert train(resolve("sentiment", chosen, folder=None), again, on="sagemaker") == found
    assert "nothing has changed" in again


def test_one_machine_does_not_pass_for_two(tmp_path):
    with pytest.raises(SettingsError, match="2 machines; a job of the machine 'local' has one"):
        train(settings(tmp_path, machines=2), on="sagemaker")
    assert not (tmp_path / "work" / "sentiment-sample" / "job").exists()


def test_ones_own_file_is_sent_as_it_is(own):
    found = train(settings(own, data=str(own / "own.csv"), preset="default"), on="sagemaker")
    loaded = marfa.load(found["file"], engine="numpy")
    assert loaded.labels == ("n", "y")


def test_why_a_job_fails_is_told_as_a_sentence(own):
    (own / "own.csv").write_text("text,label\ngood,y\n")
    notes = Notes()
    with pytest.raises(JobError, match="one label alone, on 1 texts") as caught:
        train(settings(own, data=str(own / "own.csv")), notes, on="sagemaker")
    assert "Traceback" not in str(caught.value)
    assert f": {own / 'own.csv'}: " in str(caught.value)
    assert caught.value.hint == "mend that, then run the same command again"
    assert "one label alone" not in notes, "it is said twice"


def test_a_job_goes_on_after_another_of_the_same_name_has_ended(own):
    stopped = settings(own, epochs=3, max_runtime="1m")
    kept = stopped.job_folder / "local" / work.job(stopped).hash / "machine" / "ml" / "checkpoints"
    kept.mkdir(parents=True)
    (kept / "last").write_bytes(b"learnt")
    train(settings(own), on="sagemaker")
    assert [each.name for each in (stopped.job_folder / "local").iterdir()] == [
        work.job(stopped).hash
    ]
    assert (kept / "last").is_file()


def channels(made):
    return {each.name: sorted(each.files) for each in made.channels}


def test_a_job_is_given_what_it_cannot_fetch_and_nothing_else(own):
    assert channels(work.job(settings(own))) == {"code": ["marfa.zip"]}
    for data in ("imdb", "sample"):
        assert set(channels(work.job(settings(own, data=data)))) == {"code"}
    raw = work.job(settings(own, data=str(own / "own.csv")))
    assert channels(raw)["raw"] == ["own.csv"]
    assert raw.hyperparameters["data"] == "own.csv"
    assert not any(str(own) in value for value in raw.hyperparameters.values())


def test_a_folder_is_sent_as_numbers_which_must_be_those_of_its_texts(own):
    chosen = settings(own, data=str(own / "texts"))
    with pytest.raises(DataError, match="has not been done here") as caught:
        work.job(chosen)
    assert "marfa prepare sentiment" in caught.value.hint
    marfa.prepare(chosen)
    made = work.job(chosen)
    assert {"codec.json", "dataset.json", "prepare.record.json"} <= set(channels(made)["prepared"])
    assert work.job(chosen).hash == made.hash
    (own / "texts" / "y" / "new.txt").write_text("another\n")
    with pytest.raises(DataError, match="has changed since"):
        work.job(chosen)


def test_a_data_set_that_was_fetched_is_sent_as_a_mirror(own):
    chosen = settings(own, data="imdb", send="raw")
    archive = own / "work" / "raw" / "imdb" / "aclImdb_v1.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"reviews")
    made = next(each for each in work.job(chosen).channels if each.name == "raw")
    assert sorted(made.files) == ["SHA256SUMS", "aclImdb_v1.tar.gz"]
    assert made.files["SHA256SUMS"].endswith(b"  aclImdb_v1.tar.gz\n")


def test_an_earlier_model_to_begin_with_is_sent_and_decides_the_hash(writer_path, tmp_path):
    chosen = {"preset": "sample", "workdir": str(tmp_path)}
    plain = work.job(resolve("shakespeare", chosen, folder=None))
    made = work.job(resolve("shakespeare", {**chosen, "from": str(writer_path)}, folder=None))
    assert channels(made)["earlier"] == ["model.tar.gz"]
    assert made.hash != plain.hash
