"""Every setting has one default, one meaning, one order of precedence, and limits that hold."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.errors import SettingsError
from marfa.recipes import ClassifierSettings, GeneratorSettings, resolve
from marfa.settings import TASKS, coerce, declared


def test_no_two_sections_of_a_task_share_a_name():
    for sections in TASKS.values():
        listed = [item.name for kind in sections.values() for item in fields(kind)]
        assert len(listed) == len(set(listed))


def test_a_name_has_one_section_and_one_type_in_all_tasks():
    found = {}
    for _, section, item in declared():
        assert found.setdefault(item.name, (section, type(item.default))) == (
            section,
            type(item.default),
        )


def test_every_setting_says_what_it_means():
    for _, _, item in declared():
        assert item.metadata["meaning"].endswith("."), item.name


def test_a_recipe_has_the_settings_of_its_task():
    assert isinstance(resolve("sentiment"), ClassifierSettings)
    found = resolve("shakespeare", {"unroll": 7, "from_": "a.tar.gz"}, {"MARFA_WINDOW": "3"})
    assert isinstance(found, GeneratorSettings)
    assert (found.train.unroll, found.train.from_) == (7, "a.tar.gz")


def test_a_flag_or_a_key_of_the_other_task_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="it is one of sentiment"):
        resolve("shakespeare", {"window": 3})
    (tmp_path / "marfa.toml").write_text("[train]\nunroll = 4\n")
    with pytest.raises(SettingsError, match="it is one of shakespeare"):
        resolve("sentiment", folder=tmp_path)


def test_a_file_decides_the_recipe_and_is_passed_over_by_another(tmp_path):
    (tmp_path / "marfa.toml").write_text(
        'recipe = "shakespeare"\n[train]\nfrom = "m.tar.gz"\n[write]\nlength = 9\n'
    )
    found = resolve(folder=tmp_path)
    assert (found.recipe, found.train.from_, found.write.length) == ("shakespeare", "m.tar.gz", 9)
    assert resolve("sentiment", folder=tmp_path).recipe == "sentiment"


def test_flag_beats_variable_beats_file_beats_preset_beats_default(tmp_path):
    (tmp_path / "marfa.toml").write_text(
        "[train]\nepochs = 4\nbatch_size = 99\n[model]\nhidden = 77\n"
    )
    found = resolve(
        "sentiment",
        {"epochs": 2, "preset": "tutorial"},
        {"MARFA_EPOCHS": "3", "MARFA_BATCH_SIZE": "98", "PATH": "ignored"},
        tmp_path,
    )
    assert (found.train.epochs, found.train.batch_size, found.model.hidden) == (2, 98, 77)
    assert (found.model.embedding, found.train.seed) == (32, ClassifierSettings().train.seed)


def test_a_toml_file_can_be_the_recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('preset = "tutorial"\nname = "mine"\n[data]\ndata = "reviews.csv"\n')
    found = resolve(str(path))
    assert (found.preset, found.run_name, found.data.data) == ("tutorial", "mine", "reviews.csv")


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({}, "sentiment"),
        ({"preset": "tutorial"}, "sentiment-tutorial"),
        ({"preset": "sample"}, "sentiment-sample"),
        ({"data": "a/reviews.csv"}, "sentiment-reviews"),
        ({"data": "a/reviews.csv", "name": "x"}, "x"),
    ],
)
def test_two_runs_do_not_meet(flags, name):
    assert resolve("sentiment", flags).run_name == name


@pytest.mark.parametrize(
    ("flags", "environ", "toml", "expected"),
    [
        ({"hiden": 3}, {}, "", "did you mean 'hidden'"),
        ({}, {"MARFA_HIDEN": "3"}, "", "did you mean 'MARFA_HIDDEN'"),
        ({}, {}, "[model]\nhiden = 3", "did you mean 'hidden'"),
        ({}, {}, "[modle]\nhidden = 3", "did you mean 'model'"),
        ({}, {}, "[model]\nepochs = 3", "[train]"),
        ({}, {}, "hidden = 3", ""),
        ({}, {}, "[model", "TOML"),
        ({}, {}, "\x00", "TOML"),
        ({"hidden": 0}, {}, "", "outside 1 to"),
        ({"learning_rate": float("nan")}, {}, "", "outside"),
        ({"dropout": 1}, {}, "", "outside 0.0 to"),
        ({}, {"MARFA_HIDDEN": "many"}, "", "not a whole number"),
        ({}, {"MARFA_OFFLINE": "maybe"}, "", "not true or false"),
        ({}, {}, '[model]\nhidden = "3x"', "not a whole number"),
        ({}, {}, "[model]\nhidden = 3.5", "not a whole number"),
        ({}, {}, "[model]\nhidden = true", "not a whole number"),
        ({"preset": "tutorail"}, {}, "", "did you mean 'tutorial'"),
        ({"stem": "potter"}, {}, "", "did you mean 'porter'"),
        ({"name": "../x"}, {}, "", "plain folder name"),
    ],
)
def test_a_wrong_setting_is_named(flags, environ, toml, expected, tmp_path):
    (tmp_path / "marfa.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        resolve("sentiment", flags, environ, tmp_path)
    assert expected in f"{caught.value} {caught.value.hint}"


def test_an_unknown_recipe_is_neither_a_name_nor_a_file():
    with pytest.raises(SettingsError, match="neither a recipe"):
        resolve("sentimnt")


@given(st.text())
def test_any_text_is_coerced_or_refused(text):
    for default in (1, 1.0, True, "a"):
        try:
            assert type(coerce("x", text, default)) is type(default)
        except SettingsError:
            assert not isinstance(default, str)
