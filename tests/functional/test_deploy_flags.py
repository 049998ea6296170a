"""Flags that would decide nothing of what is asked for are refused; what is set elsewhere is not."""

import pytest
from tests.functional.test_cloud_commands import account, bed, marfa

__all__ = ["account", "bed"]

VALUES = {
    "memory": 1024, "numpy": "aws", "serverless-memory": 1024, "serverless-concurrency": 3,
    "instance-type": "ml.nonsense", "image": "foo",
}  # fmt: skip
DECIDING = {
    "lambda": {"memory", "numpy"},
    "serverless": {"serverless-memory", "serverless-concurrency", "image"},
    "endpoint": {"instance-type", "image"},
}


@pytest.mark.parametrize("target", DECIDING)
@pytest.mark.parametrize("command", ["deploy", "rehearse"])
def test_what_is_meant_for_another_target_is_refused(tmp_path, target, command):
    for flag in sorted(VALUES.keys() - DECIDING[target]):
        done = marfa(
            command, tmp_path / "model.tar.gz", "--target", target, f"--{flag}", VALUES[flag]
        )
        assert (done.returncode, done.stdout) == (2, ""), flag
        assert f"--{flag}: this would decide nothing of a deployment whose target is" in done.stderr
        assert "name the --target" in done.stderr


@pytest.mark.parametrize("target", DECIDING)
def test_what_decides_something_is_taken(bed, tmp_path, target):
    given = {"image": "pytorch-2.6", "instance-type": "ml.m5.large"}
    flags = [f"--{flag}={given.get(flag, VALUES[flag])}" for flag in DECIDING[target]]
    done = marfa("deploy", tmp_path / "none.tar.gz", "--plan", "--target", target, *flags)
    assert (done.returncode, "no such bundle" in done.stderr) == (3, True), done.stderr


def test_what_is_set_for_all_commands_is_not_refused(bed, tmp_path):
    elsewhere = {"MARFA_INSTANCE_TYPE": "ml.m5.large", "MARFA_SERVERLESS_MEMORY": "1024"}
    done = marfa("deploy", tmp_path / "none.tar.gz", "--plan", **elsewhere)
    assert (done.returncode, "no such bundle" in done.stderr) == (3, True), done.stderr


def test_a_plan_is_no_policy(bed, model_path):
    done = marfa("deploy", model_path, "--plan", "--policy")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--plan and --policy ask for two different things" in done.stderr
