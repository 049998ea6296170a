"""doctor: what is missing is said, with what to type."""

from marfa.recipes import resolve
from marfa.stages.doctor import doctor


def findings(**flags):
    return {item["what"]: item for item in doctor(resolve("sentiment", flags))["findings"]}


def test_what_is_installed_is_named(tmp_path):
    found = findings(workdir=str(tmp_path), offline=True)
    assert found["Python"]["ok"]
    assert "torch" in found["marfa[train]"]["found"]


def test_missing_texts_come_with_advice(tmp_path):
    found = findings(workdir=str(tmp_path), offline=True)["imdb"]
    assert not found["ok"]
    assert "--mirror" in found["hint"]
    assert not findings(workdir=str(tmp_path), mirror=str(tmp_path))["imdb"]["ok"]
    assert not findings(workdir=str(tmp_path), offline=True)["shakespeare"]["ok"]


def test_a_folder_that_does_not_exist_yet_is_measured(tmp_path):
    assert (
        "GB free"
        in findings(workdir=str(tmp_path / "a" / "b"), offline=True)["work folder"]["found"]
    )
