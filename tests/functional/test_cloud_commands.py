"""The cloud's commands in the shell: what they print, and how they end."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from tests.cloud import job_bodies
from tests.cloud.deploying import account, bed, put, world

__all__ = ["account", "bed", "put", "world"]


def marfa(*arguments, **changes):
    environ = {key: value for key, value in os.environ.items() if key not in changes}
    environ |= {key: value for key, value in changes.items() if value}
    return subprocess.run(
        [sys.executable, "-m", "marfa", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip


def test_a_plan_says_what_would_be_and_what_it_would_cost(bed, model_path, tmp_path):
    done = marfa(
        *("deploy", model_path, "--plan", "--target", "endpoint", "--workdir", tmp_path),
        *("--deployment", "soup"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    for word in (
        "Nothing has been made or sent", "SageMaker::Endpoint", "Scheduler::Schedule", "to send:",
        "ml.t2.medium, asked or not: $0.056 an hour", "until the lease ends: about $0.11",
        "no security patches since 2026-06-30", "lease: until",
    ):  # fmt: skip
        assert word in done.stdout


@pytest.mark.job
def test_one_document_for_a_program(bed, put, model_path, tmp_path):
    put(model_path)
    plan = json.loads(marfa("deploy", model_path, "--plan", "--json", "--workdir", tmp_path).stdout)
    assert plan["schema_version"] == 1
    assert set(plan["templates"]) == {
        "marfa-sentiment-sample-base", "marfa-sentiment-sample-live",
    }  # fmt: skip
    found = json.loads(marfa("status", "--json").stdout)
    assert [one["deployment"] for one in found["deployments"]] == ["soup"]
    assert json.loads(marfa("destroy", "soup", "--json").stdout)["left"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--target", "endpoint", "--instance-type", "ml.nonsense"], 2, "no 'ml.nonsense'"),
        (["--target", "serverless", "--serverless-memory", "2500"], 2, "2048 or 3072"),
        (["--allow-origin", "foo"], 2, "'foo' is no origin"),
        (["--allow-origin", "foo", "--json"], 2, "'foo' is no origin"),
    ],
)
@pytest.mark.parametrize("missing", [(), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")])
def test_a_plan_that_cannot_succeed_says_so(
    bed, model_path, tmp_path, arguments, code, words, missing
):
    done = marfa(
        *("deploy", model_path, "--plan", "--workdir", tmp_path, *arguments),
        **dict.fromkeys(missing, ""),
    )
    assert done.returncode == code
    assert words in done.stdout
    assert "! this cannot be deployed as it is" in done.stdout


def test_a_plan_without_credentials_is_one(bed, model_path, tmp_path):
    done = marfa("deploy", model_path, "--plan", "--workdir", tmp_path, **NONE)
    assert done.returncode == 0
    assert "cannot be deployed" not in done.stdout


def test_the_policy_needs_no_credentials(bed, model_path):
    done = marfa("deploy", model_path, "--policy", **NONE)
    assert done.returncode == 0
    assert "000000000000" in json.dumps(json.loads(done.stdout))
    assert "no credentials, so the account is written as 000000000000" in done.stderr


def test_the_policy_is_nothing_but_a_policy(bed, model_path):
    policy = json.loads(marfa("deploy", model_path, "--policy").stdout)
    assert set(policy) == {"Version", "Statement"}


@pytest.mark.job
def test_what_is_up_is_told_and_then_taken_down(bed, put, model_path):
    bed.clock.moment = datetime.now(UTC)  # which is the other process's too
    put(model_path, target="endpoint")
    told = marfa("status").stdout
    assert told.startswith("soup  CREATE_COMPLETE  https://")
    for word in ("target endpoint", "lease:", "ml.t2.medium: $0.056 an hour", "cost so far: $"):
        assert word in told
    assert "the lease ends" in marfa("renew", "soup", "--lease", "1h").stdout
    ended = marfa("destroy", "soup")
    assert ended.returncode == 0
    assert ended.stdout.endswith("0 left\n")
    assert marfa("status").stdout == "nothing of marfa's is in eu-west-1\n"


def test_what_is_left_exits_5(bed, put, model_path):
    put(model_path)
    bed.conduct.fail("AWS::Lambda::Function", "delete", times=99)
    done = marfa("destroy", "soup")
    assert done.returncode == 5
    assert "left: " in done.stderr
    assert "run again: marfa destroy soup" in done.stderr


NONE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


JOB = ("train", "--preset", "sample", "--on", "sagemaker")
LOCAL = (*JOB, "--machine", "local")
SCORE = ("score", "MODEL", "ROWS", "-o", "OUT")
NEVER = "marfa-soup-20261124223501-0a1b2c"


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "words"),
    [
        (["status"], NONE, 5, "aws configure"),
        (["status"], {"AWS_DEFAULT_REGION": ""}, 2, "no region is named"),
        (["status", "--region", "mars"], {}, 2, "is no region"),
        (["status", "--profile", "nobody"], {}, 2, "could not be found"),
        (["status"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 4, "run the same command again"),
        (["status"], {"AWS_ENDPOINT_URL": "nonsense"}, 2, "write it as http://"),
        (["status"], {"AWS_CONFIG_FILE": "rows.csv"}, 2, "mend that file"),
        (["predict", "--against", "localhost:8080", "x"], {}, 2, "--against http://localhost:8080"),
        (["deploy", "MODEL", "--serverless-memory", "7000"], {}, 2, "marfa: --serverless-memory: 7000"),
        (["deploy", "MODEL", "--serverless-memory", "7000"], {}, 2, "the usual one is 2048"),
        (["deploy", "MODEL"], {"MARFA_LOG_DAYS": "0"}, 2, "marfa: MARFA_LOG_DAYS: 0 is outside"),
        (["deploy", "MODEL"], {"MARFA_LOG_DAYS": "few"}, 2, "marfa: MARFA_LOG_DAYS: 'few' is not"),
        (["status", "soup"], {}, 5, "no deployment named 'soup'"),
        (["renew", "soup"], {}, 5, "nothing of 'soup' is live"),
        (["rollback", "soup"], {}, 5, "nothing of 'soup' is live"),
        (["destroy", "Soup"], NONE, 2, "no name for a deployment"),
        (["deploy", "nowhere.tar.gz"], {}, 3, "no such bundle"),
        (["deploy", "MODEL", "--lease", "1y"], {}, 2, "is no time"),
        (["deploy", "MODEL", "--target", "endpoint", "--lease", "none"], {}, 2, "by the hour"),
        (["deploy", "MODEL", "--target", "moon"], {}, 2, "moon"),
        (["deploy", "MODEL", "--memory", "100"], {}, 2, "outside 256"),
        (["deploy", "MODEL", "--target", "endpoint", "--instance-type", "ml.z"], {}, 2, "no 'ml.z'"),
        (["deploy", "MODEL", "--target", "serverless", "--serverless-memory", "1500"], {}, 2, "1024"),
        (["deploy", "MODEL", "--target", "endpoint", "--image", "pytorch-9"], {}, 2, "did you mean"),
        (["deploy", "MODEL", "--plan", "--deployment", "so up"], {}, 2, "no name for"),
        (["deploy", "MODEL", "--plan", "--region", "eu-wset-1"], {}, 2, "did you mean 'eu-west-1'"),
        (["deploy", "MODEL", "--plan", "--region", "eu-wset-1"], NONE, 2, "did you mean"),
        (["deploy", "MODEL", "--policy", "--region", "eu-wset-1"], NONE, 2, "did you mean"),
        (["predict", "--against", "soup", "good"], {}, 5, "nothing of 'soup' is live"),
        ([*JOB], NONE, 5, "aws configure"),
        ([*JOB, "--region", "mars"], {}, 2, "is no region"),
        ([*JOB, "--machine", "ml.m5.xlarg"], {}, 2, "did you mean 'ml.m5.xlarge'?"),
        ([*JOB, "--machine", "ml.m5.xlarge", "--machines", "0"], {}, 2, "outside 1 to"),
        ([*JOB, "--max-runtime", "soon"], {}, 2, "such as 45m"),
        ([*JOB, "--send", "pigeon"], {}, 2, "auto, nothing, raw, prepared"),
        ([*JOB, "--data", "no.csv", "--name", "n"], {}, 3, "check --data"),
        ([*JOB], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 4, "run the same command again"),
        (["train", "--on", "sagemakr"], {}, 2, "did you mean 'sagemaker'?"),
        (["train", "--vocabulary", "9"], {}, 2, "only --on sagemaker asks it"),
        (["train", "--machine", "ml.m5.large"], {}, 2, "only --on sagemaker asks it"),
        ([*JOB, "--machine", "ml.m5.hugee"], NONE, 2, "SageMaker has no 'ml.m5.hugee'"),
        ([*JOB, "--region", "us-east-9"], NONE, 2, "us-east-9 is no region that boto3 knows"),
        ([*JOB, "--checkpoints", "kept"], {}, 2, "marfa: --checkpoints: this would decide nothing"),
        ([*LOCAL, "--disk", "20"], {}, 2, "--disk: this would decide nothing of a job of the"),
        ([*LOCAL, "--no-spot"], {}, 2, "--spot: this would decide nothing of a job of the"),
        ([*LOCAL, "--max-wait", "2h"], {}, 2, "--max-wait: this would decide nothing"),
        ([*LOCAL, "--job-image", "pytorch-2.13"], {}, 2, "--job-image: this would decide nothing"),
        ([*LOCAL, "--region", "eu-west-1"], {}, 2, "--region: this would decide nothing"),
        (["train", "--attach", "mine", "--epochs", "3"], {}, 2, "--epochs: this would decide nothing"),
        (["train", "--attach", "mine", "--machine", "local"], {}, 2, "--machine: this would decide"),
        (["train", "--attach", "mine", "--data", "x.csv"], {}, 2, "--data: this would decide nothing"),
        (["train", "--attach", "mine", "--preset", "sample"], {}, 2, "--preset: this would decide"),
        (["train", "--attach", "mine", "--on", "here"], {}, 2, "--on: this would decide nothing"),
        (["train", "--attach", NEVER, "--region", "us-east-9"], NONE, 2, "is no region that boto3"),
        ([*SCORE, "--machine", "ml.m5.large"], {}, 2, "--machine: this would decide nothing of scoring"),
        ([*SCORE, "--on", "sagemaker", "--machine", "ml.m5.hugee"], NONE, 2, "has no 'ml.m5.hugee'"),
        ([*SCORE, "--on", "sagemaker", "--region", "us-east-9"], NONE, 2, "is no region that boto3"),
        (["train", "--attach", "mine"], {}, 2, "no job of marfa's"),
        (["train", "--attach", "marfa-soup-20261124223501-0a1b2c"], {}, 5, "no such job in"),
        (["score", "MODEL", "ROWS", "-o", "OUT", "--on", "sagemaker"], NONE, 5, "aws configure"),
        (["score", "MODEL", "ROWS", "-o", "OUT", "--on", "mars"], {}, 2, "is none of here"),
        (
            ["score", "MODEL", "ROWS", "-o", "OUT", "--on", "sagemaker", "--engine", "numpy"],
            {}, 2, "the container chooses",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_type(
    bed, model_path, tmp_path, monkeypatch, arguments, changes, code, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("text\ngood\n")
    meant = {"MODEL": model_path, "ROWS": "rows.csv", "OUT": "out.csv"}
    done = marfa(*(meant.get(each, each) for each in arguments), **changes)
    assert not (tmp_path / "out.csv").exists()
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.job
def test_a_job_is_begun_followed_and_fetched_from_a_machine_without_torch(
    bed, model_path, tmp_path
):
    job_bodies.MODEL["path"] = model_path
    bed.clock.moment = datetime.now(UTC)
    bed.jobs.hurry = True  # the other process has a clock of its own, which nobody can turn
    script = (
        "import sys; sys.modules.update(torch=None, scipy=None, sklearn=None)\n"
        "from marfa.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = [*JOB, "--workdir", str(tmp_path), "--deployment", "soup", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["command"], found["on"], found["deployment"]) == ("train", "sagemaker", "soup")
    assert "epoch 4: loss 0.5000" in done.stderr
    shown = marfa(*arguments[:-1])
    assert shown.stdout.startswith(f"{tmp_path}/sentiment-sample/job/model.tar.gz\n")
    assert "billed, 70% saved: $" in shown.stdout
    told = marfa("status").stdout
    assert "training job marfa-soup-" in told
    assert marfa("destroy", "soup").stdout.endswith("0 left\n")


def test_a_quota_of_zero_says_what_to_type(bed, model_path):
    bed.quotas.values["sagemaker", "L-1"] = ("ml.t2.medium for endpoint usage", 0)
    done = marfa("deploy", model_path, "--target", "endpoint")
    assert done.returncode == 5
    assert "aws service-quotas request-service-quota-increase" in done.stderr


def test_a_new_account_that_may_reserve_nothing_is_served_all_the_same(bed, put, model_path):
    bed.quotas.concurrency = 10
    put(model_path)
    plan = marfa("deploy", model_path, "--plan", "--deployment", "soup", "--numpy", "aws").stdout
    assert "none is reserved" in plan
