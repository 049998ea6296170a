"""score: one row a row, in order, as the server would answer."""

import csv
import json

import pytest

from marfa.container.contract import JSON, Request, respond
from marfa.errors import DataError, SettingsError
from marfa.loading import load
from marfa.stages.score import score

TEXTS = ["A wonderful film.", "", "zzq", 'It "broke", twice\nand again.', "فيلم رائع"] * 120


@pytest.fixture(params=["jsonl", "csv", "tsv"])
def file(request, tmp_path):
    path = tmp_path / f"in.{request.param}"
    with open(path, "w", newline="", encoding="utf-8") as out:
        if request.param == "jsonl":
            out.writelines(
                json.dumps({"text": text, "id": n}) + "\n" for n, text in enumerate(TEXTS)
            )
        else:
            writer = csv.writer(out, delimiter="," if request.param == "csv" else "\t")
            writer.writerows([("id", "text"), *enumerate(TEXTS)])
    return path


def test_lines_are_what_the_server_answers(model_path, file, tmp_path):
    found = score(model_path, file, tmp_path / "out.jsonl", engine="numpy")
    assert found["rows"] == len(TEXTS)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    model = load(model_path, engine="numpy")
    for text, line in zip(TEXTS[:5], lines, strict=False):
        body = json.dumps({"texts": [text]}).encode()
        expected = json.loads(respond(model, Request("POST", "/invocations", JSON, "", body)).body)
        assert json.loads(line)["label"] == expected["results"][0]["label"]
    assert len(lines) == len(TEXTS)


def test_a_table_has_a_row_a_row(model_path, file, tmp_path):
    score(model_path, file, tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as out:
        rows = list(csv.DictReader(out))
    assert len(rows) == len(TEXTS)
    assert rows[1] == {
        "label": "",
        "score": "",
        "known": "0",
        "total": "0",
        "reason": rows[1]["reason"],
    }
    assert rows[1]["reason"]


def test_a_bad_row_is_named_and_nothing_is_written(model_path, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "good"}\n{"txt": "good"}\n')
    with pytest.raises(DataError, match=r"in\.jsonl:2"):
        score(model_path, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_file_that_is_read_is_never_written_over(model_path, file):
    before = file.read_bytes()
    output = file if file.suffix != ".tsv" else file.rename(file.with_suffix(".csv"))
    with pytest.raises(SettingsError, match="would be lost"):
        score(model_path, output, output)
    assert output.read_bytes() == before


def test_a_longer_text_is_allowed_where_it_is_asked_for(model_path, tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"text": "good " * 1000}) + "\n")
    with pytest.raises(DataError, match="characters"):
        score(model_path, path, tmp_path / "out.jsonl", max_text_chars=100)
    assert score(model_path, path, tmp_path / "out.jsonl", max_text_chars=5000)["rows"] == 1


def test_an_output_of_another_kind_is_refused(model_path, file, tmp_path):
    with pytest.raises(SettingsError, match=r"expected \.jsonl or \.csv"):
        score(model_path, file, tmp_path / "out.xlsx")
