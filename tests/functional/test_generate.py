"""generate: a text in the shell, as it is made; the same seed gives the same text everywhere."""

import json
import subprocess
import sys

import pytest

import marfa
from marfa.errors import BundleError, EmptyTextError, RequestError, UnknownTextError
from marfa.settings import ServeSettings
from marfa.stages.serve import Running


def command(*arguments, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "marfa", *map(str, arguments)],
        capture_output=True, text=True, check=False, input=stdin,
    )  # fmt: skip


def test_a_text_has_the_length_asked_for_and_begins_with_the_prompt(writer_path):
    done = command("generate", writer_path, "--prompt", "the film", "--length", 60, "--seed", 1)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout[:-1]
    assert len(text) == 60
    assert text.startswith("the film")


def test_the_seed_that_was_chosen_is_told_and_gives_the_text_again(writer_path):
    first = command("generate", writer_path, "--prompt", "a", "--length", 80)
    seed = first.stderr.split()[-1]
    again = command("generate", writer_path, "--prompt", "a", "--length", 80, "--seed", seed)
    assert again.stdout == first.stdout


def test_one_document_for_a_program(writer_path):
    done = command("generate", writer_path, "--length", 30, "--seed", 3, "--json")
    made = json.loads(done.stdout)
    assert (len(made["text"]), made["seed"], made["command"]) == (30, 3, "generate")
    assert made["text"] == marfa.load(writer_path).generate(length=30, seed=3)


def test_a_prompt_comes_from_standard_input(writer_path):
    done = command("generate", writer_path, "--prompt", "-", "--length", 20, stdin="good ")
    assert done.stdout.startswith("good ")


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--length", "0"], 2, "outside 1 to"),
        (["--length", "-5"], 2, "outside 1 to"),
        (["--length", "many"], 2, "length"),
        (["--length", "3", "--prompt", "longer"], 3, "more than the 3 asked for"),
        (["--temperature", "-1"], 2, "outside 0.0 to"),
        (["--temperature", "nan"], 2, "outside 0.0 to"),
        (["--top-k", "-1"], 2, "outside 0 to"),
        (["--top-p", "0"], 2, "outside"),
        (["--seed", "-1"], 3, "seed"),
        (["--prompt", "\u4e00\u4e8c"], 3, "none of the 2 characters"),
    ],
)
def test_what_cannot_be_written_is_said(writer_path, arguments, code, expected):
    done = command("generate", writer_path, *arguments)
    assert done.returncode == code, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_judges_says_so_and_the_other_way_round(model_path, writer_path):
    done = command("generate", model_path)
    assert done.returncode == 3
    assert "marfa predict" in done.stderr
    done = command("predict", writer_path, "good")
    assert done.returncode == 3
    assert "marfa generate" in done.stderr


@pytest.mark.parametrize("engine", ["numpy", "onnx"])
@pytest.mark.parametrize(
    "options",
    [{"temperature": 0.0}, {"seed": 5}, {"seed": 6, "top_k": 3}, {"seed": 7, "top_p": 0.7}],
    ids=str,
)
def test_the_same_seed_is_the_same_text_in_engines_of_one_precision(writer_path, engine, options):
    expected = marfa.load(writer_path, engine="numpy").generate("it ", length=120, **options)
    assert marfa.load(writer_path, engine=engine).generate("it ", length=120, **options) == expected


def test_eight_bits_write_too_and_the_manifest_says_what_they_lose(writer_path):
    from marfa import bundle

    made = bundle.load(writer_path)
    compared = made.manifest["int8"]
    assert compared["default"] == (compared["difference"] < 0.01)
    assert abs(compared["int8_loss"] - compared["float32_loss"] - compared["difference"]) < 2e-6
    small = marfa.load(writer_path, engine="int8")
    assert len(small.generate(length=50)) == 50
    chosen = "int8" if compared["default"] else "onnx"
    assert marfa.load(writer_path).engine.name == chosen


def test_pieces_are_the_whole(writer_path):
    model = marfa.load(writer_path)
    assert "".join(model.stream("so ", length=90, seed=2)) == model.generate(
        "so ", length=90, seed=2
    )


def test_temperature_zero_is_greedy_whatever_the_seed(writer_path):
    model = marfa.load(writer_path)
    texts = {model.generate("so ", length=50, temperature=0, seed=seed) for seed in range(5)}
    assert len(texts) == 1


def test_top_k_of_one_is_greedy_and_more_than_the_alphabet_is_all(writer_path):
    model = marfa.load(writer_path)
    greedy = model.generate("so ", length=50, temperature=0)
    assert model.generate("so ", length=50, top_k=1, seed=9) == greedy
    assert model.generate(length=50, seed=9, top_k=10**6) == model.generate(length=50, seed=9)


def test_an_empty_prompt_begins_after_a_line_break(writer_path):
    model = marfa.load(writer_path)
    after = model.generate("\n", length=40, temperature=0)
    assert model.generate("", length=39, temperature=0) == after[1:]


def test_a_prompt_that_cannot_be_continued_is_refused(writer_path):
    model = marfa.load(writer_path)
    with pytest.raises(RequestError, match="more than the 2"):
        model.generate("abc", length=2)
    with pytest.raises(UnknownTextError):
        model.generate("\u4e00")
    for length in (0, -1, 1.5, True, "9"):
        with pytest.raises(RequestError, match="whole number"):
            model.generate(length=length)
    assert model.generate("a\ud800b", length=9, seed=1).startswith("a\ufffdb")


def test_a_prompt_of_which_nothing_is_left_is_refused(tmp_path):
    text = tmp_path / "play.txt"
    text.write_text("WHO: drops\nthis line stays, and this one too\n" * 60)
    made = marfa.resolve(
        "shakespeare",
        {
            "preset": "tutorial", "data": str(text), "workdir": str(tmp_path), "hidden": 8,
            "epochs": 1, "threads": 1, "batch_size": 4,
        },
    )  # fmt: skip
    for stage in (marfa.prepare, marfa.train, marfa.evaluate, marfa.package):
        stage(made)
    model = marfa.load(made.model_file)
    with pytest.raises(EmptyTextError, match="nothing is left"):
        model.generate("WHO: speaks?")
    assert model.generate("THIS\nLine", length=20, seed=1).startswith("this line")


def test_no_model_is_an_error_of_the_bundle(tmp_path):
    with pytest.raises(BundleError):
        marfa.generate(tmp_path / "none.tar.gz")


def test_joiners_and_no_break_blanks_reach_the_reader_as_they_are(writer_path):
    prompt = "it\u200cs\u00a0so "  # a text of these is altered by whoever takes them for controls
    options = ("--prompt", prompt, "--length", 40, "--seed", 4)
    shown = command("generate", writer_path, *options).stdout
    told = json.loads(command("generate", writer_path, *options, "--json").stdout)
    assert shown[:-1] == told["text"]
    assert shown.startswith(prompt)


def test_unknown_characters_of_a_prompt_are_told(writer_path):
    done = command("generate", writer_path, "--prompt", "it \u4e00", "--length", 20, "--seed", 4)
    assert "1 character(s) of the prompt are not known" in done.stderr


def test_a_running_server_writes_the_same_text(writer_path):
    with Running(writer_path, ServeSettings(port=0, engine="numpy")) as server:
        task, pieces = marfa.generate("", "The ", length=40, seed=7, against=server.url)
        done = command(
            "generate", "--against", server.url, "--prompt", "The ", "--length", "40", "--seed", "7"
        )
    here = "".join(marfa.generate(writer_path, "The ", length=40, seed=7, engine="numpy")[1])
    assert "".join(pieces) == here
    assert (task.prompt, task.length) == ("The ", 40)
    assert done.stdout.rstrip("\n") == here.rstrip("\n")
