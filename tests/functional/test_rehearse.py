"""rehearse: the whole way to AWS and back on this machine, and nothing left of it whoever ends it."""

import http.client
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from tests.conftest import SMALL

import marfa as marfa_package
from marfa import bundle as bundles
from marfa import loading
from marfa.aws import checking
from marfa.container import pages, questions
from marfa.container.contract import DEFAULT_LIMITS, Request, respond
from marfa.errors import CloudError, QuotaError, SettingsError
from marfa.recipes import resolve
from marfa.rehearsal import faults
from marfa.settings import CloudSettings
from marfa.stages.rehearse import rehearse

pytestmark = pytest.mark.job

TARGETS = ("lambda", "serverless", "endpoint")
UP = "It is up: try it"


class Clock:
    """Real time, until somebody lets the lease end."""

    def __init__(self):
        self.ahead = timedelta(0)

    def __call__(self):
        return datetime.now(UTC) + self.ahead


def visit(model, folder, do, **settings):
    """Rehearse, do something while all of it is up, and let the lease end."""
    clock, visited = Clock(), []

    def tell(step):
        if step.title == UP:
            told = "\n".join(step.here)
            page = re.search(r"the page:  (\S+)", told)[1]
            runtime = re.search(r"RUNTIME=(\S+)", told)
            visited.append(do(page, runtime[1] if runtime else ""))
            clock.ahead = timedelta(hours=1)

    chosen = CloudSettings(**{"lease": "15m", "rate": 1000, "burst": 1000, **settings})
    result = rehearse(model, chosen, workdir=str(folder), stay=True, tell=tell, now=clock)
    assert len(visited) == 1
    return result


def children():
    """Processes that this one has started and that are still at work."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=,args=", "--ppid", str(os.getpid())],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    return [line for line in listed.splitlines() if "bootstrap" in line or "sagemaker" in line]


@pytest.fixture(params=["model_path", "writer_path"])
def packed(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("target", TARGETS)
def test_every_golden_request_is_answered_byte_for_byte_through_the_whole_way(
    packed, tmp_path, target
):
    model = loading.of(bundles.load(packed), engine="numpy")

    def ask(page, runtime):
        for request in questions.of(model):
            expected = respond(model, request)
            if request.path == "/ping":  # which API Gateway keeps to itself
                request = Request(request.method, "/readyz")
            found = checking.ask(page, request)
            assert (found.status, found.content_type, found.body) == (
                expected.status, expected.content_type, expected.body,
            )  # fmt: skip
        for path, each in pages.files(model, DEFAULT_LIMITS).items():
            found = checking.ask(page, Request("GET", path))
            assert (found.status, found.content_type) == (200, each.content_type)
            assert found.body == each.content or path == "/healthz"  # which names its engine
        return len(children())

    result = visit(packed, tmp_path, ask, target=target)
    assert (result["left"], result["steps"][-1]["here"][-1]) == ([], "0 left")
    assert result["steps"][-1]["title"].endswith("the lease")
    assert result["figures"]["golden"] == len(list(questions.of(model)))
    assert result["figures"]["first_answer_seconds"] < 10
    assert children() == []
    assert [path.name for path in (tmp_path / "rehearsal").iterdir()] == [".lock"]


def test_boto3_asks_the_endpoint_whole_and_streamed(writer_path, tmp_path):
    model = loading.of(bundles.load(writer_path), engine="numpy")

    def ask(page, runtime):
        client = boto3.client(
            "sagemaker-runtime", endpoint_url=runtime, region_name="us-east-1",
            aws_access_key_id="any", aws_secret_access_key="any",
        )  # fmt: skip
        asked = {"EndpointName": "marfa-soup", "ContentType": "application/json"}
        asked["Body"] = json.dumps({"prompt": "so ", "length": 60, "seed": 3})
        whole = client.invoke_endpoint(**asked, Accept="text/plain")["Body"].read().decode()
        assert whole == model.generate("so ", length=60, seed=3)
        found = client.invoke_endpoint_with_response_stream(**asked, Accept="text/event-stream")
        streamed = b"".join(each["PayloadPart"]["Bytes"] for each in found["Body"])
        pieces = re.findall(rb"event: text\ndata: (.*)", streamed)
        assert "".join(json.loads(each)["text"] for each in pieces).endswith(whole[3:])

    visit(writer_path, tmp_path, ask, target="endpoint", deployment="soup")


def test_the_steps_name_every_resource_of_the_templates_that_deploy_sends(model_path, tmp_path):
    from marfa.stages.deploy import deploy

    settings = CloudSettings(target="endpoint", region="eu-west-1", site=True)
    result = rehearse(model_path, settings, workdir=str(tmp_path))
    told = [line["name"] for step in result["steps"] for line in step["resources"]]
    try:
        plan = deploy(model_path, settings, workdir=str(tmp_path), how="plan")
    except CloudError:
        pytest.skip("AWS's own configuration on this machine stands in the way")
    assert sorted(told) == sorted(each["name"] for each in plan["resources"])
    assert told.index("Lease") < told.index("Endpoint") < told.index("Function")
    assert result["steps"][-1]["costs"] == "next to $0 from here on, and $0 after marfa destroy"
    for step in result["steps"]:
        assert step["costs"]
        assert step["here"]
        assert step["aws"]


@pytest.mark.parametrize(
    ("target", "fault", "kind", "words", "hint"),
    [
        ("endpoint", "quota", QuotaError, "0 ml.t2.medium allowed", "request-service-quota-increase"),
        ("serverless", "quota", CloudError, "Number of serverless endpoints", "service-quotas"),
        ("lambda", "quota", CloudError, "Code storage limit", "lambda"),
        ("endpoint", "stuck", CloudError, "ROLLBACK_COMPLETE.*ping health check", "did not answer"),
        ("lambda", "stuck", SettingsError, "no container", "--target endpoint"),
        ("lambda", "lunch", SettingsError, "is no fault", "throttle"),
    ],
)  # fmt: skip
def test_a_fault_ends_as_deploy_would_end(model_path, tmp_path, target, fault, kind, words, hint):
    told = []
    with pytest.raises(kind, match=words) as caught:
        rehearse(
            model_path, CloudSettings(target=target), workdir=str(tmp_path), fault=fault,
            tell=told.append,
        )  # fmt: skip
    assert hint in caught.value.hint
    assert target == "endpoint" or "--instance-type" not in caught.value.hint
    if kind is not SettingsError:
        assert caught.value.exit_code == 5
        looked = kind is QuotaError  # which nobody has to refuse who looks first
        assert told[-1].title == ("Refused, before anything is made" if looked else "AWS refuses")
        assert caught.value.hint in told[-1].here[-1]
        assert ("L-REHEARSAL stands here for" in told[-1].aws[-1]) == looked
        assert ("the base stack stays, with what was sent" in told[-1].aws[-1]) != looked
        assert not [line for line in told[-1].aws if line.startswith("here ")]
    assert children() == []


def test_too_many_at_once_are_refused_and_asked_again(model_path, tmp_path):
    settings = CloudSettings(target="endpoint")
    result = rehearse(model_path, settings, workdir=str(tmp_path), fault="throttle")
    assert result["figures"]["refused_429"] >= 6
    (step,) = (each for each in result["steps"] if each["title"] == "Too many at once")
    assert "ThrottlingException 2 times" in step["here"][-1]
    assert "the client saw 200 alone" in step["here"][-1]


def test_a_recipe_is_trained_as_a_job_first(tmp_path):
    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path), "target": "endpoint"})
    result = rehearse(settings, workdir=str(tmp_path))
    given, came = result["steps"][:2]
    assert "/opt/ml/input/data/code: marfa.zip" in given["here"][0]
    assert "CreateTrainingJob" in given["aws"][0]
    assert "ml.m5.xlarge: $0.23 an hour" in given["costs"]
    assert result["file"] == str(tmp_path / "sentiment-sample" / "job" / "model.tar.gz")
    assert result["model"] in came["here"][-1]
    assert (result["figures"]["golden"] > 20, result["left"]) == (True, [])
    assert "Completed" in came["here"][-2]
    assert "spot" in came["aws"][-1]
    assert children() == []

    several = {"machine": "ml.c5.xlarge", "machines": 3, "spot": False}
    settings = replace(settings, job=replace(settings.job, **several))
    given, kept = rehearse(settings, workdir=str(tmp_path))["steps"][:2]
    assert "starts 3 ml.c5.xlarge with" in given["aws"][1]
    assert "kept from before" in kept["here"][0]
    assert "made it as a process on this machine, in " in kept["here"][1]
    assert "Completed" not in " ".join(kept["here"])
    assert "the price of ml.c5.xlarge is not known here" in kept["costs"]
    assert "spot" not in " ".join(kept["aws"])


def test_one_process_does_not_pass_for_the_machines_of_a_job(tmp_path):
    chosen = {**SMALL, "epochs": 1, "workdir": str(tmp_path), "machines": 3, "machine": "local"}
    given, came = rehearse(resolve("sentiment", chosen), workdir=str(tmp_path))["steps"][:2]
    assert given["here"][0] == "AWS has no machine 'local': ml.m5.xlarge is told of"
    assert "a process with an /opt/ml of its own" in came["here"][0]
    assert "it stands for 3 machines, and trains alone" in came["here"][1]
    assert "if those 3 together are as fast as this one" in came["costs"]


def test_a_model_that_sagemaker_has_made_is_told_as_such(tmp_path):
    settings = resolve("sentiment", {**SMALL, "epochs": 1, "workdir": str(tmp_path)})
    rehearse(settings, workdir=str(tmp_path))
    place = tmp_path / "sentiment-sample" / "job" / "job.json"
    there = {"on": "sagemaker", "seconds": 70.0, "billed_seconds": 20.0, "cost_words": "$0.00128"}
    place.write_text(json.dumps({**json.loads(place.read_text()), **there}))
    kept = rehearse(settings, workdir=str(tmp_path))["steps"][1]
    assert "made it on SageMaker, in 70 s" in kept["here"][1]
    assert kept["costs"] == "$0 now; 20 s were billed of that job: $0.00128"


@pytest.mark.parametrize(
    ("chosen", "words", "hint"),
    [
        ({"machine": "ml.m5.xlarg"}, "no 'ml.m5.xlarg' for training jobs", "ml.m5.xlarge"),
        ({"machine": "ml.foo", "machines": 3}, "no 'ml.foo' for training jobs", "ml."),
        ({"max_runtime": "soon"}, "'soon' is no time", "such as"),
        ({"target": "endpoint", "instance_type": "ml.t2.mediun"}, "for endpoints", "ml.t2.medium"),
        ({"region": "eu-west-9"}, "no region that boto3 knows", "eu-west-"),
    ],
)
def test_what_sagemaker_has_not_is_refused_before_a_network_is_trained(
    tmp_path, chosen, words, hint
):
    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path), **chosen})
    told = []
    with pytest.raises(SettingsError, match=words) as caught:
        rehearse(settings, workdir=str(tmp_path), tell=told.append)
    assert hint in caught.value.hint
    assert not (tmp_path / "sentiment-sample").exists()
    assert told == []


def test_what_was_sent_before_a_cut_is_not_sent_again(model_path, tmp_path):
    result = rehearse(model_path, CloudSettings(), workdir=str(tmp_path), fault="cut")
    again = next(each for each in result["steps"] if each["title"].startswith("Send"))["here"][-1]
    sent, there = (
        int(each.replace(",", "")) for each in re.findall(r"([\d,]+) (?:by|were)", again)
    )
    assert sent + there == result["bytes"]
    assert there > 5 << 20


def test_what_no_visitor_should_send_is_answered_and_the_next_is_answered_well(
    model_path, tmp_path
):
    good = Request("POST", "/invocations", "text/plain", "application/json", b"good")
    hostile = [
        ("POST", "/invocations", b"x" * (11 << 20), {}, 413),
        ("POST", "/invocations", b"x" * (7 << 20), {"Content-Type": "text/plain"}, 413),
        ("POST", "/invocations", b"x" * (2 << 20), {"Content-Type": "text/plain"}, 413),
        ("POST", "/invocations", b"\xff\xfe", {"Content-Type": "text/plain"}, 400),
        ("POST", "/invocations", b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        ("POST", "/invocations", b"x", {"Content-Type": "a/b", "Content-Encoding": "gzip"}, 415),
        ("POST", "/invocations", b"x", {"Content-Type": "é", "Accept": "\xff"}, 400),
        ("BREW", "/", None, {}, 404),
        ("GET", "/" + "%2e%2e%2f" * 50 + "etc/passwd", None, {}, 404),
        ("GET", "/metrics", None, {"Cookie": "a=b; c", "X-Amzn-Trace-Id": "x" * 9000}, 404),
        ("DELETE", "/v1/predict", None, {}, 405),
    ]  # fmt: skip

    def ask(page, runtime):
        for method, path, body, headers, status in hostile:
            line = http.client.HTTPConnection(urlsplit(page).netloc, timeout=20)
            named = {name: value.encode("latin-1") for name, value in headers.items()}
            line.request(method, path, body, named)
            assert line.getresponse().status == status, (method, path)
            line.close()
            assert checking.ask(page, good).status == 200

    visit(model_path, tmp_path, ask, target="endpoint")


def test_a_rehearsal_that_is_at_work_keeps_its_folder(model_path, tmp_path):
    from marfa.errors import BusyError

    def again(page, runtime):
        with pytest.raises(BusyError):
            rehearse(model_path, workdir=str(tmp_path))

    visit(model_path, tmp_path, again)


def marfa(*arguments, **more):
    command = [sys.executable, "-m", "marfa", "rehearse", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_without_a_terminal_it_checks_itself_and_ends(model_path, tmp_path):
    done = marfa(model_path, "--workdir", tmp_path)
    assert done.returncode == 0, done.stderr
    for word in (
        "1  Look, before anything is made", "on AWS", "costs", "console", "CloudFormation > Stacks",
        "Function: unpacks the zip", "1,000 requests of", "The first answer", "0 left",
        f"for real: marfa deploy {model_path} --target lambda",
    ):  # fmt: skip
        assert word in done.stdout
    assert not re.search(r"[a-z]{3} *: *$", done.stdout, re.M)


def test_one_document_for_a_program(model_path, tmp_path):
    done = marfa(model_path, "--workdir", tmp_path, "--json", "--target", "endpoint")
    found = json.loads(done.stdout)
    assert (found["schema_version"], found["command"], found["left"]) == (1, "rehearse", [])
    assert [step["number"] for step in found["steps"]] == list(range(1, len(found["steps"]) + 1))
    assert found["price"]["hourly"] == 0.056


@pytest.mark.parametrize("machine", ["ml.g5.xlarge", "ml.c7i.large", "ml.p5.48xlarge"])
def test_every_machine_that_endpoints_have_can_be_rehearsed(model_path, tmp_path, machine):
    settings = CloudSettings(target="endpoint", instance_type=machine)
    result = rehearse(model_path, settings, workdir=str(tmp_path))
    assert f"quota: 2 {machine} allowed for endpoint usage" in result["steps"][0]["here"]
    assert result["price"]["hourly"] is None


def test_a_machine_that_endpoints_have_not_is_named_with_the_nearest(model_path, tmp_path):
    endpoint = ("--target", "endpoint", "--instance-type", "ml.t2.mediun")
    done = marfa(model_path, "--workdir", tmp_path, *endpoint)
    assert done.returncode == 2
    assert "SageMaker has no 'ml.t2.mediun' for endpoints" in done.stderr
    assert "ml.t2.medium" in done.stderr
    assert "Refused, before anything is made" in done.stdout
    assert "AWS refuses" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_fault_and_a_port_that_is_taken_end_with_their_codes(model_path, tmp_path):
    done = marfa(model_path, "--workdir", tmp_path, "--fault", "quota", "--target", "endpoint")
    assert done.returncode == 5
    assert "request-service-quota-increase" in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = marfa(model_path, "--workdir", tmp_path, "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}: cannot listen" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


WIDE = ("--rate", "1000", "--burst", "1000")  # so that nothing waits for the throttle


class Shell:
    """A person's terminal with a rehearsal in it."""

    def __init__(self, *arguments):
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "marfa", "rehearse", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.shown = ""

    def read(self, until=None):
        """Read until something is shown, or to the end."""
        while until is None or not re.search(until, self.shown):
            try:
                piece = os.read(self._master, 1 << 16)
            except OSError:  # Linux's way to say that nobody is at the other end
                break
            if not piece:
                break
            self.shown += re.sub(r"\r|\x1b\[[0-9;?]*[a-zA-Z]", "", piece.decode("utf-8", "replace"))
        return self.shown

    def descendants(self):
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        found, looked = [], [str(self.process.pid)]
        while looked:
            parent = looked.pop()
            born = [pid for pid, ppid, stat in rows if ppid == parent and stat[0] != "Z"]
            found, looked = found + born, looked + born
        return found

    def close(self):
        os.close(self._master)


@pytest.fixture
def shell(model_path, tmp_path):
    made = Shell(model_path, "--workdir", tmp_path, "--target", "endpoint", *WIDE)
    made.read(r"until \S+, or Ctrl-C")
    yield made
    made.process.kill()
    made.process.wait()
    made.close()


def urls(shown):
    return re.search(r"the page:  (\S+)", shown)[1], re.search(r"RUNTIME=(\S+)", shown)[1]


def assert_nobody_listens(*addresses):
    for address in addresses:
        line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=1)
        with pytest.raises(OSError, match="refused"):
            line.connect()


def assert_they_end(pids, seconds):
    deadline = time.monotonic() + seconds
    while True:
        listed = subprocess.run(
            ["ps", "-o", "pid=,stat=", "-p", ",".join(pids)], capture_output=True, text=True
        ).stdout.splitlines()
        left = [line for line in listed if line.split()[1][0] != "Z"]
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_a_terminal_it_stays_until_it_is_ended(shell, number):
    page, runtime = urls(shell.shown)
    assert checking.ask(page, Request("GET", "/readyz")).status == 200
    pids = shell.descendants()
    assert len(pids) >= 2
    shell.process.send_signal(number)
    shown = shell.read()
    assert shell.process.wait() == 0
    assert "ended by you" in shown
    assert "0 left" in shown
    assert_they_end(pids, 1)
    assert_nobody_listens(page, runtime)


def test_nothing_outlives_it_even_if_it_is_killed(shell):
    page, runtime = urls(shell.shown)
    assert checking.ask(page, Request("GET", "/readyz")).status == 200
    pids = shell.descendants()
    assert len(pids) >= 2
    shell.process.kill()
    assert_they_end(pids, 15)
    assert_nobody_listens(page, runtime)


def test_the_command_that_it_shows_for_awss_own_tool_is_good(shell, tmp_path):
    if shutil.which("aws") is None:
        pytest.skip("the AWS CLI is not installed")
    lines = [line.strip() for line in shell.shown.splitlines()]
    exports = [line for line in lines if line.startswith("export ")]
    asked = next(line for line in lines if "aws sagemaker-runtime" in line)
    environ = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-ec", "\n".join([*exports, asked])],
        check=True, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    assert '{"label":' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.tar.gz"], 3, "marfa run"),
        (["work/none"], 3, "marfa run"),
        (["sentimnt"], 2, "neither a recipe"),
        (["none.toml"], 2, "neither a recipe"),
        ([".", "--epochs", "3"], 2, "--epochs"),
        ([".", "--preset", "sample"], 2, "a model is trained already"),
        ([".", "--machine", "ml.m5.xlarge"], 2, "a model is trained already"),
        ([".", "--lease", "1m"], 2, "lease"),
        ([".", "--target", "moon"], 2, "target"),
        ([".", "--port", "70000"], 2, "cannot listen"),
        (["."], 3, "no bundle"),
    ],
)
def test_what_cannot_be_rehearsed_is_said(tmp_path, arguments, code, words):
    done = marfa(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_every_fault_is_named_in_the_help():
    shown = marfa("--help").stdout
    assert all(name in shown for name in faults.FAULTS)


WITHOUT = """
import sys
sys.path[:] = [each for each in sys.path if "site-packages" not in each] + sys.argv[1:3]
from marfa.cli import main
sys.exit(main(["rehearse", *sys.argv[3:]]))
"""


@pytest.mark.parametrize(
    ("missing", "target", "extra"),
    [("boto3", "lambda", "aws"), ("starlette", "endpoint", "serve"), ("starlette", "lambda", "")],
)
def test_a_part_that_is_not_installed_is_named(model_path, tmp_path, missing, target, extra):
    (linked := tmp_path / "linked").mkdir()
    source = Path(marfa_package.__file__).parents[1]
    for entry in Path(boto3.__file__).parents[1].iterdir():
        if not entry.name.startswith(missing):
            (linked / entry.name).symlink_to(entry)
    done = subprocess.run(
        [
            *(sys.executable, "-S", "-c", WITHOUT, source, linked, model_path),
            *("--target", target, "--workdir", tmp_path / "work"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if extra else 0), done.stderr
    assert f"pip install 'marfa[{extra}]'" in done.stderr or not extra
