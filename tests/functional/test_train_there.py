"""train --on sagemaker: one job for one result, whatever happens to this machine meanwhile."""

import io

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError
from tests.cloud import job_bodies
from tests.cloud.aws import ACCOUNT, REGION, account, bed
from tests.cloud.faults import Faults, PowerCut
from tests.cloud.inventory import everything
from tests.cloud.lookalikes import lookalikes
from tests.cloud.recorder import Recorder
from tests.conftest import SMALL

from marfa import bundle, files
from marfa.aws.client import Cloud
from marfa.aws.names import Names
from marfa.errors import (
    BundleError,
    CredentialsError,
    DataError,
    GoneError,
    JobError,
    QuotaError,
    SettingsError,
)
from marfa.recipes import resolve
from marfa.stages.destroy import destroy
from marfa.stages.status import status
from marfa.stages.train import train

pytestmark = pytest.mark.job

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


def test_what_was_rehearsed_is_no_job_and_what_a_job_has_made_need_not_be_rehearsed(
    bed, there, tmp_path
):
    rehearsed = train(wanted(tmp_path / "work", machine="local", **SMALL), on="sagemaker")
    assert rehearsed["on"] == "local"
    real = there(**SMALL)
    assert (real["on"], len(bed.jobs.of())) == ("sagemaker", 1)
    notes = Notes()
    assert train(wanted(tmp_path / "work", machine="local", **SMALL), notes, on="sagemaker") == real
    assert f"kept, which {real['job']} has made on SageMaker" in notes


def test_a_job_on_a_sample_leaves_the_model_of_the_whole_alone(bed, there, tmp_path):
    whole = there()
    sampled = there(sample=64)
    home = tmp_path / "work" / "sentiment-sample"
    assert (whole["file"], sampled["file"]) == (
        str(home / "job" / "model.tar.gz"),
        str(home / "job-sample64" / "model.tar.gz"),
    )
    assert files.read_json(home / "job" / "job.json")["job"] == whole["job"]
    elsewhere = resolve("sentiment", {"workdir": str(tmp_path / "other")}, folder=None)
    found = train(elsewhere, attach=sampled["job"], cloud=bed.cloud())
    assert found["file"] == str(
        tmp_path / "other" / "sentiment-sample" / "job-sample64" / "model.tar.gz"
    )


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


def test_the_real_container_goes_on_after_a_spot_machine_is_taken_back(
    bed, there, model_path, tmp_path
):
    bed.jobs.body, bed.jobs.interruptions = job_bodies.real, 1
    notes = Notes()
    found = there(notes, **SMALL)
    home = tmp_path / "work" / "sentiment-sample" / "job"
    assert (home / "model.tar.gz").read_bytes() == model_path.read_bytes()
    assert "AWS took the spot machine back; waiting for another" in notes
    epochs = [line for line in notes.lines if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in epochs] == [f"epoch {n}" for n in (1, 2, 3, 4)]
    assert found["sha256"] == files.hash_file(model_path)


def test_a_failing_job_says_why_without_a_stack_and_the_next_one_goes_on(bed, there):
    bed.jobs.body = job_bodies.failing
    with pytest.raises(JobError, match="AlgorithmError: ValueError: no such column") as caught:
        there()
    assert (caught.value.exit_code, "Traceback" in str(caught.value)) == (1, False)
    bed.jobs.body = job_bodies.fake
    there()
    assert [job.status for job in bed.jobs.of()] == ["Failed", "Completed"]


def test_a_job_that_somebody_stops_is_no_failure_and_is_gone_on_with(bed, there):
    bed.jobs.seconds = 3000

    def stop(_):
        client = bed.session().client("sagemaker")
        for job in bed.jobs.of():
            if job.detail == "Training" and job.status == "InProgress":
                client.stop_training_job(TrainingJobName=job.name)

    session = bed.session()
    Recorder(session, stop)
    with pytest.raises(JobError, match="stopped before it was done") as caught:
        there(session=session)
    assert caught.value.exit_code == 1
    assert "goes on from the checkpoints" in caught.value.hint
    notes = Notes()
    there(notes)
    assert len({job.request["CheckpointConfig"]["S3Uri"] for job in bed.jobs.of()}) == 1
    assert len(bed.jobs.of()) == 2


def test_an_interrupted_job_goes_on_from_its_checkpoint(bed, there):
    bed.jobs.interruptions = 2
    notes = Notes()
    there(notes)
    assert sum("took the spot machine back" in line for line in notes.lines) == 2
    assert [line for line in notes.lines if line.startswith("epoch ")] == [
        f"epoch {n}: loss 0.{9 - n}000" for n in (1, 2, 3, 4)
    ]
    assert "going on after epoch 2" in notes


@pytest.mark.parametrize(
    ("seconds", "no_machines", "words", "hint"),
    [
        (1e5, False, "computed for its 60 minutes", "--max-runtime"),
        (120, True, "no machines to spare", "--no-spot"),
    ],
)
def test_a_job_that_runs_out_of_time_says_which_time(bed, there, seconds, no_machines, words, hint):
    bed.jobs.seconds, bed.jobs.no_machines = seconds, no_machines
    with pytest.raises(JobError, match=words) as caught:
        there()
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\0" * 999]
)
def test_a_half_written_archive_is_told_and_a_new_job_made(bed, there, tmp_path, spoil):
    bed.jobs.spoil = spoil
    with pytest.raises(BundleError, match="what the job has left is no whole model") as caught:
        there()
    assert "a new job goes on" in caught.value.hint
    bed.jobs.spoil = None
    assert there()["bytes"]
    assert [job.status for job in bed.jobs.of()] == ["Completed", "Completed"]


def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(bed, there):
    bed.jobs.unseen = 2
    there()
    assert len(bed.jobs.of()) == 1


BAD = [
    (
        {"machine": "ml.m5.xlarg"},
        SettingsError,
        "no 'ml.m5.xlarg' for training jobs",
        "ml.m5.xlarge",
    ),
    (
        {"machines": 3},
        QuotaError,
        "2 ml.m5.xlarge allowed for spot training job usage",
        "--no-spot",
    ),
    ({"spot": False}, QuotaError, "0 ml.m5.xlarge allowed for training job usage", "L-2 "),
    ({"job_image": "pytorch-2.6"}, SettingsError, "does not train", "known: "),
    ({"job_image": "pytorch-9"}, SettingsError, "no container that is known", ""),
    ({"max_runtime": "1y"}, SettingsError, "is no time", "45m"),
    ({"max_wait": "10m"}, SettingsError, "shorter than max-runtime", ""),
    ({"deployment": "So up"}, SettingsError, "no name for a deployment", ""),
    ({"data": "nowhere.csv"}, DataError, "no such file", "--data"),
    ({"data": "nowhere.csv", "send": "nothing"}, SettingsError, "cannot fetch", "--send raw"),
    ({"send": "prepared"}, DataError, "has not been done here", "marfa prepare sentiment"),
    ({"data": "imdb", "send": "raw"}, DataError, "has not been fetched", "marfa fetch sentiment"),
]


@pytest.mark.parametrize(("chosen", "kind", "words", "hint"), BAD)
def test_what_is_wrong_is_said_before_anything_is_sent_or_made(
    bed, there, chosen, kind, words, hint
):
    bed.quotas.values["sagemaker", "L-1"] = ("ml.m5.xlarge for spot training job usage", 2)
    bed.quotas.values["sagemaker", "L-2"] = ("ml.m5.xlarge for training job usage", 0)
    with pytest.raises(kind, match=words) as caught:
        there(**chosen)
    assert hint in caught.value.hint
    assert everything(bed.session()) == set()


def test_a_region_without_sagemaker_is_refused_at_once(bed, tmp_path):
    class Bare(Cloud):
        def offers(self, service):
            return service != "sagemaker"

    with pytest.raises(SettingsError, match="has no sagemaker") as caught:
        train(wanted(tmp_path), on="sagemaker", cloud=Bare(session=bed.session(), now=bed.clock))
    assert "--region" in caught.value.hint
    assert everything(bed.session()) == set()


def expired(session, operation, times=99):
    """Let AWS take the credentials no more, from some call of an operation on."""
    answers = {
        "query": b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error>"
        b"</ErrorResponse>",
        "json": b'{"__type":"ExpiredTokenException","message":"old"}',
    }
    left = [times]

    def answer(request, event_name, **_):
        if not event_name.endswith(operation) or left[0] <= 0:
            return None
        left[0] -= 1
        protocol = "query" if event_name.split(".")[1] == "sts" else "json"
        return AWSResponse(request.url, 403, {}, Raw(answers[protocol]))

    session.events.register("before-send", answer)
    return session


class Raw(io.BytesIO):
    def stream(self):
        yield self.getvalue()


def test_credentials_that_have_expired_are_told_as_such(bed, there):
    with pytest.raises(CredentialsError, match="does not take these credentials"):
        there(session=expired(bed.session(), "GetCallerIdentity"))
    with pytest.raises(CredentialsError) as caught:
        there(session=expired(bed.session(), "DescribeTrainingJob"))
    assert "the job goes on: marfa train --attach marfa-soup-" in caught.value.hint
    assert there()["model"]
    assert len(bed.jobs.of()) == 1


def leaving(bed, when, end=KeyboardInterrupt):
    """Return a session in which somebody presses Ctrl-C as soon as `when` says so."""
    session = bed.session()

    def press(call):
        if call.operation == "describe_training_job" and when():
            raise end

    Recorder(session, press)
    return session


def test_a_job_is_followed_from_where_the_printing_was(bed, there, tmp_path):
    first, second, third = Notes(), Notes(), Notes()
    with pytest.raises(KeyboardInterrupt):
        there(first, leaving(bed, lambda: "epoch 1: loss 0.8000" in first.lines))
    (job,) = bed.jobs.of()
    assert f"marfa train --attach {job.name} --region eu-west-1" in first
    assert "aws sagemaker stop-training-job" in first
    there(second)
    both = [line for line in first.lines + second.lines if line.startswith(("epoch", job.name))]
    assert len(both) == len(set(both)), "something was said twice"
    assert [line[:7] for line in both if line.startswith("epoch")] == [
        f"epoch {n}" for n in range(1, 5)
    ]
    elsewhere = resolve("sentiment", {"workdir": str(tmp_path / "other")}, folder=None)
    found = train(elsewhere, third, attach=job.name, cloud=bed.cloud())
    assert (tmp_path / "other" / "sentiment-sample" / "job" / "model.tar.gz").is_file()
    assert (found["job"], "epoch 1: loss 0.8000" in third) == (job.name, True)


def test_whoever_is_told_to_end_says_that_the_job_goes_on(bed, there, tmp_path):
    notes, chosen = Notes(), {"profile": "work account"}
    with pytest.raises(SystemExit):  # which the shell makes of SIGTERM
        there(notes, leaving(bed, lambda: bed.jobs.of(), SystemExit(143)), **chosen)
    (job,) = bed.jobs.of()
    where = f"{job.name} --region eu-west-1 --profile 'work account'"
    assert f"marfa train --attach {where} --workdir {tmp_path / 'work'}; to stop it: " in notes
    assert f"aws sagemaker stop-training-job --training-job-name {where}" in notes


def test_a_name_that_is_no_job_is_told(bed, tmp_path):
    with pytest.raises(SettingsError, match="no job of marfa's"):
        train(wanted(tmp_path), attach="mine", cloud=bed.cloud())
    with pytest.raises(GoneError, match="no such job in eu-west-1"):
        train(wanted(tmp_path), attach="marfa-soup-20261124223501-0a1b2c", cloud=bed.cloud())


def test_a_line_that_is_down_for_a_while_ends_nothing(bed, there):
    session, notes, left = bed.session(), Notes(), [6]

    def cut(request, event_name, **_):
        if event_name.endswith(("DescribeTrainingJob", "GetLogEvents")) and left[0]:
            left[0] -= 1
            raise ConnectTimeoutError(endpoint_url=request.url)

    session.events.register("before-send", cut)
    there(notes, session)
    assert left == [0]
    assert sum("the job goes on meanwhile" in line for line in notes.lines) >= 1
    assert len(bed.jobs.of()) == 1


def test_destroy_stops_a_job_at_work_first_and_leaves_nothing(bed, there):
    bed.jobs.seconds = 3000
    foreign = lookalikes(bed.session(), Names("soup", REGION, ACCOUNT))
    with pytest.raises(KeyboardInterrupt):
        there(
            session=leaving(
                bed,
                lambda: [
                    j for j in bed.jobs.of() if "soup-2027" in j.name and j.detail == "Training"
                ],
            )
        )
    (told,) = status("soup", cloud=bed.cloud())["deployments"]
    (job,) = told["jobs"]
    assert (job["detail"], job["at_work"]) == ("Training", True)
    assert any("about $" in line and "so far" in line for line in told["told"])
    session = bed.session()
    recorder = Recorder(session)
    result = destroy("soup", cloud=bed.cloud(session))
    acts = [c.operation for c in recorder.calls if c.operation.startswith(("stop", "delete"))]
    assert acts[0] == "stop_training_job"
    assert acts.index("delete_training_job") < acts.index("delete_stack")
    assert {"kind": "training job", "name": job["job"]} in result["deleted"]
    there_now = everything(bed.session())
    assert set(foreign) <= there_now
    assert [
        line for line in there_now - set(foreign) if job["job"] in line or "log" not in line
    ] == []


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
