"""score --on sagemaker: the same bytes as here, from a transform job."""

import json

import pytest
from tests.cloud.aws import account, bed
from tests.cloud.inventory import everything
from tests.cloud.recorder import Recorder
from tests.functional.test_train_there import Notes

from marfa.errors import CredentialsError, DataError, JobError, QuotaError, SettingsError
from marfa.settings import CloudSettings, JobSettings
from marfa.stages.destroy import destroy
from marfa.stages.score import score

pytestmark = pytest.mark.job

__all__ = ["account", "bed"]

TEXTS = [
    "A wonderful film.", "", "zzq", 'It "broke", twice\nand again.', "فيلم رائع", "<b>good</b>",
    "a line\u2028and a half \ud800", "  ", "bad " * 400,
]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS * 3))
    return path


@pytest.fixture
def there(bed, model_path, tmp_path):
    """Score on SageMaker, as a new process would."""

    def there(file, output, notes=None, session=None, job=None, **chosen):
        return score(
            model_path,
            file,
            output,
            talk=notes or Notes(),
            on="sagemaker",
            job=JobSettings(**(job or {})),
            settings=CloudSettings(**{"deployment": "soup", **chosen}),
            workdir=str(tmp_path / "work"),
            cloud=bed.cloud(session),
        )

    return there


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_bytes_are_those_that_are_written_here(bed, there, model_path, file, tmp_path, kind):
    mine, theirs = tmp_path / f"mine.{kind}", tmp_path / f"theirs.{kind}"
    here = score(model_path, file, mine)
    notes = Notes()
    found = there(file, theirs, notes)
    assert theirs.read_bytes() == mine.read_bytes()
    assert (found["rows"], found["labels"]) == (here["rows"], here["labels"])
    assert found["cost"] > 0
    for word in ("ml.m5.xlarge: $0.23 an hour", "to send:", "no security patches"):
        assert word in notes
    lines = everything(bed.session())
    assert not [line for line in lines if line.startswith(("model ", "transform job"))]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_the_same_again_judges_nothing_anew(bed, there, file, tmp_path):
    first = tmp_path / "1.jsonl"
    there(file, first)
    notes, session = Notes(), bed.session()
    recorder = Recorder(session)
    there(file, tmp_path / "2.jsonl", notes, session)
    assert (tmp_path / "2.jsonl").read_bytes() == first.read_bytes()
    assert "has judged this already" in notes
    assert not [c for c in recorder.calls if c.operation.startswith(("create", "put"))]


def test_no_rows_are_no_job(bed, there, tmp_path):
    (tmp_path / "none.csv").write_text("text\n")
    found = there(tmp_path / "none.csv", tmp_path / "out.csv")
    assert found["rows"] == 0
    assert bed.jobs.of("Transform") == []
    assert (tmp_path / "out.csv").read_text() == "label,score,known,total,reason\n"


def test_a_bad_row_is_refused_as_here_and_before_anything_is_sent(bed, there, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"text": "good"}\n{"review": "?"}\n')
    with pytest.raises(DataError, match=r"bad\.jsonl:2"):
        there(tmp_path / "bad.jsonl", tmp_path / "out.jsonl")
    (tmp_path / "long.jsonl").write_text(json.dumps({"text": "é" * 600_000}) + "\n")
    with pytest.raises(DataError, match="a container takes"):
        there(tmp_path / "long.jsonl", tmp_path / "out.jsonl")
    assert everything(bed.session()) == set()


def test_what_is_wrong_is_said_before_anything_is_made(bed, there, file, tmp_path):
    bed.quotas.values["sagemaker", "L-9"] = ("ml.m5.xlarge for transform job usage", 0)
    with pytest.raises(QuotaError) as caught:
        there(file, tmp_path / "out.jsonl")
    assert "--quota-code L-9" in caught.value.hint
    with pytest.raises(SettingsError, match="for transform jobs"):
        there(file, tmp_path / "out.jsonl", job={"machine": "ml.m5.xlarg"})
    assert everything(bed.session()) == set()


def test_a_failing_job_says_why_and_leaves_no_model(bed, there, file, tmp_path):
    bed.jobs.broken_reason = "AlgorithmError: the container did not pass its ping"
    with pytest.raises(JobError, match="did not pass its ping"):
        there(file, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()
    assert not [line for line in everything(bed.session()) if line.startswith("model ")]
    bed.jobs.broken_reason = ""
    assert there(file, tmp_path / "out.jsonl")["rows"] == len(TEXTS) * 3


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (SystemExit(143), SystemExit),  # which the shell makes of SIGTERM
        (CredentialsError("old", hint="aws sso login"), CredentialsError),
    ],
)
def test_whoever_leaves_is_told_that_the_job_goes_on(bed, there, file, tmp_path, end, kind):
    notes, session = Notes(), bed.session()

    def press(call):
        if call.operation == "describe_transform_job":
            raise end

    Recorder(session, press)
    with pytest.raises(kind):
        there(file, tmp_path / "out.jsonl", notes, session, profile="other")
    (job,) = bed.jobs.of("Transform")
    stop = f"aws sagemaker stop-transform-job --transform-job-name {job.name} --region eu-west-1"
    (told,) = [*(line for line in notes.lines if "goes on" in line), *hints(end)]
    assert "the job goes on; the same command fetches what it makes" in told
    assert f"{stop} --profile other" in told


def hints(error):
    return [error.hint] if isinstance(error, CredentialsError) else []


def test_destroy_takes_a_running_job_down_and_its_log(bed, there, file, tmp_path):
    there(file, tmp_path / "out.jsonl")
    assert any(line.startswith("log stream") for line in everything(bed.session()))
    destroy("soup", cloud=bed.cloud())
    assert everything(bed.session()) == set()
