"""What Lambda functions are made of: enough to answer, no more than that, and always the same bytes."""

import io
import json
import platform
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest
from tests import gateways, installed, untrained

from marfa import bundle, loading, portable
from marfa.aws import functions, wheels
from marfa.container import pages, questions
from marfa.container.contract import DEFAULT_LIMITS, Request, respond
from marfa.settings import ModelSettings, TextSettings, WriterSettings

SMALL = ModelSettings(embedding=4, hidden=3)
MODELS = {
    "judge": lambda: untrained.judge(SMALL, TextSettings(vocabulary=50)),
    "judge with stems": lambda: untrained.judge(SMALL, TextSettings(vocabulary=50, stem="porter")),
    "writer": lambda: untrained.writer(WriterSettings(embedding=4, hidden=8)),
}
ASK = """
import importlib, json, sys
sys.path[:0] = sys.argv[2:]
handler = importlib.import_module(sys.argv[1]).handler
for line in sys.stdin:
    print("=" + json.dumps(handler(json.loads(line), None)))
"""


@pytest.fixture(scope="module", params=MODELS)
def packed(request):
    return MODELS[request.param]()


@pytest.fixture(scope="module")
def stemmer():
    return installed.wheel("snowballstemmer")


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    """The layer made of the numpy that is installed here, unpacked."""
    made = functions.numpy_layer(installed.wheel("numpy"))
    return installed.unpack(made, tmp_path_factory.mktemp("layer")) / "python"


def asked(python, module, paths, events, *banned):
    """What a handler answers in a Python that has nothing but some folders."""
    code = f"import sys\nsys.modules |= dict.fromkeys({banned!r})\n{ASK}"
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", code, module, *map(str, paths)],
        input="\n".join(json.dumps(event) for event in events),
        env={"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"},  # as in Lambda
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("=")]


def assert_answers_as_the_contract(python, made, layer, model):
    golden = list(questions.of(model))
    answers = asked(
        python, "marfa.container.function", [made, layer], [gateways.http(each) for each in golden]
    )
    for request, answer in zip(golden, answers, strict=True):
        expected = respond(model, request)
        assert (answer["statusCode"], gateways.body_of(answer)) == (expected.status, expected.body)


def test_the_zip_and_the_layer_are_enough_to_answer_every_golden_request(
    packed, stemmer, layer, tmp_path
):
    made = installed.unpack(functions.function_zip(packed, stemmer), tmp_path)
    model = loading.of(packed, engine="numpy")
    assert_answers_as_the_contract(sys.executable, made, layer, model)


def test_the_bundle_in_the_zip_is_the_same_model_without_what_is_not_used(
    packed, stemmer, tmp_path
):
    installed.unpack(functions.function_zip(packed, stemmer), tmp_path)
    found = bundle.load(tmp_path / "model")
    assert found.model_id == packed.model_id
    assert set(packed.contents) - set(found.contents) == {"model.onnx", "code/inference.py"}
    kept = {key: value for key, value in packed.manifest.items() if key != "files"}
    assert {key: value for key, value in found.manifest.items() if key != "files"} == kept


def test_equal_models_give_equal_zips(packed, stemmer):
    assert functions.function_zip(packed, stemmer) == functions.function_zip(packed, stemmer)
    assert functions.proxy_zip(packed) == functions.proxy_zip(packed)


def test_a_model_that_stems_brings_its_stemmer_and_no_other(stemmer):
    plain, stems = (MODELS[name]() for name in ("judge", "judge with stems"))
    assert [functions.stem(each) for each in (plain, stems)] == ["", "porter"]
    with zipfile.ZipFile(io.BytesIO(functions.function_zip(stems, stemmer))) as made:
        brought = {name for name in made.namelist() if name.endswith("_stemmer.py")}
    assert brought == {"snowballstemmer/porter_stemmer.py"}
    with pytest.raises(AssertionError, match="was not given"):
        functions.function_zip(stems)
    assert b"snowballstemmer/" not in functions.function_zip(plain, stemmer)


@pytest.mark.parametrize("name", ["arabic", "english", "french", "german", "porter", "spanish"])
def test_every_stemmer_works_without_the_package_around_it(stemmer, name, tmp_path):
    found = untrained.judge(SMALL, TextSettings(vocabulary=50, stem=name))
    installed.unpack(functions.function_zip(found, stemmer), tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from marfa.text import words; "
    code += "from marfa.settings import TextSettings; "
    code += "print(words.normaliser(TextSettings(stem=sys.argv[2]))('wonderfully'))"
    run = [sys.executable, "-I", "-S", "-B", "-c", code, str(tmp_path), name]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    from marfa.text import words

    expected = words.normaliser(TextSettings(stem=name))("wonderfully")
    assert (done.stdout.strip(), done.stderr) == (expected, "")


SMALL_ENOUGH = 200_000
"""Bytes of all but the weights and the codec."""


@pytest.mark.parametrize("make", [untrained.judge, untrained.writer])
def test_a_zip_of_the_default_shape_is_hardly_more_than_its_weights(make):
    found = make()
    own = len(found.contents["weights.safetensors"]) + len(found.contents["codec.json"])
    assert len(functions.function_zip(found)) < own + SMALL_ENOUGH
    assert len(functions.proxy_zip(found)) < SMALL_ENOUGH


def test_a_model_of_the_default_shape_is_sent_in_three_megabytes():
    """Chance fills the range of a rounded number better than training does, so this is no easy case."""
    assert len(functions.function_zip(untrained.judge())) < 3_000_000


def test_the_layer_leaves_out_what_answering_does_not_need_and_keeps_its_licences(layer):
    found = [path.relative_to(layer) for path in layer.rglob("*") if path.is_file()]
    assert not [path for path in found if path.suffix in {".pyi", ".h", ".a", ".c", ".pxd"}]
    parts = {part for path in found if path.parts[0] == "numpy" for part in path.parts}
    assert not parts & {"tests", "f2py", "testing", "include", "random", "fft", "ma"}
    assert any(path.suffix == ".so" for path in found)
    assert any("licenses" in path.parts for path in found)
    whole = sum(file.size or 0 for file in metadata.files("numpy") if ".." not in file.parts)
    assert sum((layer / path).stat().st_size for path in found) < 0.75 * whole


def test_lambdas_own_python_answers_with_the_wheel_that_is_listed(tmp_path, pytestconfig):
    python = installed.python(wheels.PYTHON)
    processor = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if python is None or processor is None or sys.platform != "linux":
        pytest.skip(f"no Python {wheels.PYTHON} for Linux here")
    try:
        wheel = wheels.fetch(wheels.numpy(processor), pytestconfig.rootpath / ".venv" / "wheels")
    except wheels.NetworkError as error:
        pytest.skip(str(error))
    layer = installed.unpack(functions.numpy_layer(wheel), tmp_path / "layer") / "python"
    for name in ("judge", "writer"):
        found = MODELS[name]()
        made = installed.unpack(functions.function_zip(found), tmp_path / name)
        assert_answers_as_the_contract(python, made, layer, loading.of(found, engine="numpy"))


def test_the_zip_before_an_endpoint_answers_its_pages_without_numpy(packed, tmp_path):
    made = installed.unpack(functions.proxy_zip(packed), tmp_path)
    model = loading.of(packed, engine="numpy")
    fixed = pages.files(model, DEFAULT_LIMITS)
    wrong = [
        Request("GET", "/nowhere"),
        Request("GET", "/invocations"),
        Request("POST", "/v1/model"),
    ]
    events = [gateways.http(each) for each in (*(Request("GET", path) for path in fixed), *wrong)]
    boto3 = metadata.distribution("boto3").locate_file("")
    answers = asked(sys.executable, "marfa.proxy.handler", [made, boto3], events, "numpy")
    for page, answer in zip(fixed.values(), answers, strict=False):
        assert (answer["statusCode"], gateways.body_of(answer)) == (200, page.content)
        assert answer["headers"]["Content-Type"] == page.content_type
    assert [answer["statusCode"] for answer in answers[len(fixed) :]] == [404, 405, 405]
    assert not (tmp_path / "marfa" / "engines").exists()


def test_what_travels_is_what_there_is():
    for names in (portable.BUNDLE, portable.FUNCTION, portable.PROXY):
        assert len(set(names)) == len(names)
        assert set(portable.read(names)) == set(names)
    assert {"web/index.html", "web/write.html", "web/docs.html"} <= portable.web().keys()
