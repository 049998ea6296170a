"""The commands. Each resolves its settings, calls its stage, and prints what came back."""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from marfa import __version__, environment, files
from marfa.cli import flags, show, show_cloud
from marfa.cli.talk import Terminal
from marfa.errors import MarfaError, RequestError, SettingsError, StoppedError
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings, resolve

app = App(
    name="marfa",
    version=f"marfa {__version__}",
    help="From raw text to a live recurrent model: fetch, prepare, train, evaluate, package, serve.",
    help_format="plaintext",
    help_epilogue="A stage may be run again: it goes on where it was stopped, or says that nothing "
    "has changed. "
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 data, 4 network, 5 refused by AWS or something left, "
    "28 disk full, 130 interrupt, 143 terminated.",
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)


_DEBUG = Annotated[bool, Parameter(help="Show tracebacks.", negative="")]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command takes."""

    json: Annotated[bool, Parameter(help="Print one JSON document.", negative="")] = False
    debug: _DEBUG = False


_FLAT = Parameter(name="*")
_COMMON = Annotated[Common, _FLAT]
_RUN = ("place.workdir", "data.data")  # with the preset and the name, which run is meant
_WHERE = ("cloud.region", "cloud.profile")
FETCH = flags.make("place", "data.data")
PREPARE = flags.make("place.workdir", "data", "text")
TRAIN = flags.make(*_RUN, "model", "train")
EVALUATE = flags.make(*_RUN, "train.sample", "train.threads", "package", *_WHERE)
PACKAGE = flags.make(*_RUN, "train.sample", "package")
RUN = flags.make("place", "data", "text", "model", "train", "package", "serve")
SERVE = flags.make("place.workdir", "serve", recipe=False)
PREDICT = flags.make("serve.engine", *_WHERE, recipe=False)
GENERATE = flags.make("write", "serve.engine", *_WHERE, recipe=False)
SCORE = flags.make(
    *("data.text_column", "data.encoding", "data.max_text_chars", "serve.engine"), recipe=False
)
DOCTOR = flags.make("place", recipe=False)
DEPLOY = flags.make("place.workdir", "cloud", recipe=False)
CLOUD = flags.make(*_WHERE, recipe=False)
RENEW = flags.make(*_WHERE, "cloud.lease", recipe=False)
_RECIPE = Annotated[
    str,
    Parameter(
        help="A recipe (sentiment, shakespeare), or a path to a marfa.toml. "
        "[default: what the marfa.toml here names, or sentiment]",
        show_default=False,
    ),
]
_MODEL = Annotated[Path, Parameter(help="A model.tar.gz, or a folder with its files.")]
_AGAINST = Annotated[
    str, Parameter(help="Ask the server at this URL, or the deployment of this name, instead.")
]
_DEPLOYMENT = Annotated[str, Parameter(help="Name of the deployment.")]


@app.command
def run(
    recipe: _RECIPE = "",
    /,
    *,
    until: Annotated[str, Parameter(help="Last stage to run.")] = "serve",
    serve: Annotated[bool, Parameter(help="Serve at the end.")] = True,
    options: Annotated[RUN, _FLAT] = RUN(),
    common: _COMMON = Common(),
) -> None:
    """All stages; the server checks itself, and on a terminal then goes on until Ctrl-C."""
    from marfa.stages.run import run as stage
    from marfa.stages.serve import serve as serving

    settings = _settings(recipe, options)
    result = stage(settings, _talk(), until=until, serve=serve)
    show.run(result, common.json)
    if "checks" in result and sys.stdout.isatty() and not common.json:
        serving(result["stages"]["package"]["file"], settings.serve, _talk())


@app.command
def fetch(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[FETCH, _FLAT] = FETCH(),
    common: _COMMON = Common(),
) -> None:
    """Bring the raw texts: from their origin, or from --mirror; resumed, verified."""
    from marfa.stages.fetch import fetch as stage

    show.fetch(stage(_settings(recipe, options), _talk()), common.json)


@app.command
def prepare(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[PREPARE, _FLAT] = PREPARE(),
    common: _COMMON = Common(),
) -> None:
    """Turn texts into numbers, and show what they look like."""
    from marfa.stages.prepare import prepare as stage

    show.prepare(stage(_settings(recipe, options), _talk()), common.json)


@app.command
def train(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[TRAIN, _FLAT] = TRAIN(),
    common: _COMMON = Common(),
) -> None:
    """Train the network, or go on where an earlier run was stopped."""
    from marfa.stages.train import train as stage

    show.train(stage(_settings(recipe, options), _talk()), common.json)


@app.command
def evaluate(
    recipe: _RECIPE = "",
    /,
    *,
    against: _AGAINST = "",
    per_label: Annotated[
        int,
        Parameter(help="Test texts of each label that such a server is asked about; 0 for all."),
    ] = 250,
    options: Annotated[EVALUATE, _FLAT] = EVALUATE(),
    common: _COMMON = Common(),
) -> None:
    """Measure on texts not learnt from, beside honest baselines; write metrics.json and report.html."""
    from marfa.stages.evaluate import evaluate as stage

    settings = _settings(recipe, options)
    if per_label < 0:
        message = f"{per_label} is outside 0 or more"
        raise SettingsError(message, where="per-label")
    result = stage(settings, _talk(), against=against, per_label=per_label)
    show.evaluate(result, common.json)


@app.command
def package(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[PACKAGE, _FLAT] = PACKAGE(),
    common: _COMMON = Common(),
) -> None:
    """Make model.tar.gz, and prove that it answers."""
    from marfa.stages.package import package as stage

    show.package(stage(_settings(recipe, options), _talk()), common.json)


@app.command
def serve(
    model: _MODEL | None = None,
    /,
    *,
    options: Annotated[SERVE, _FLAT] = SERVE(),
    debug: _DEBUG = False,
) -> None:
    """Serve a model until Ctrl-C: SageMaker's contract, the HTTP API and the page."""
    from marfa.stages.serve import serve as stage

    settings = _settings("", options)
    stage(model or settings.model_file, settings.serve, _talk())


@app.command
def predict(
    *texts: Annotated[
        str,
        Parameter(
            help="A model.tar.gz, or a folder with its files; none with --against. Then texts; - or "
            "none reads one from standard input.",
            allow_leading_hyphen=True,
        ),
    ],
    against: _AGAINST = "",
    options: Annotated[PREDICT, _FLAT] = PREDICT(),
    common: _COMMON = Common(),
) -> None:
    """Judge a few texts."""
    from marfa.stages.predict import predict as stage

    if not texts and not against:
        message = "no model is named"
        raise SettingsError(message, hint="marfa predict MODEL TEXT, or --against URL_OR_NAME TEXT")
    model, given = ("", texts) if against else (texts[0], texts[1:])
    asked = list(given) if given and given != ("-",) else [show.read_stdin()]
    settings = _settings("", options)
    judged = stage(
        model, asked, engine=settings.serve.engine, against=against, cloud=settings.cloud
    )
    show.predict(judged, common.json)
    if all(item.label is None for item in judged):
        message = f"no text could be judged: {judged[0].reason}"
        raise RequestError(message, hint="give a text of words that the model can know")


@app.command
def generate(
    model: Annotated[
        Path | None,
        Parameter(help="A model.tar.gz, or a folder with its files; none with --against."),
    ] = None,
    /,
    *,
    against: _AGAINST = "",
    prompt: Annotated[
        str,
        Parameter(
            help="How the text begins; - reads it from standard input.", allow_leading_hyphen=True
        ),
    ] = "",
    seed: Annotated[
        int | None, Parameter(help="The same seed gives the same text. [default: a new one]")
    ] = None,
    options: Annotated[GENERATE, _FLAT] = GENERATE(),
    common: _COMMON = Common(),
) -> None:
    """Write a text, character by character."""
    from marfa.stages.generate import generate as stage

    settings = _settings("shakespeare", options)
    assert isinstance(settings, GeneratorSettings)
    if model is None and not against:
        message = "no model is named"
        raise SettingsError(message, hint="marfa generate MODEL, or --against URL_OR_NAME")
    task, pieces = stage(
        model or "",
        show.read_stdin() if prompt == "-" else prompt,
        length=settings.write.length,
        temperature=settings.write.temperature,
        top_k=settings.write.top_k,
        top_p=settings.write.top_p,
        seed=seed,
        engine=settings.serve.engine,
        against=against,
        cloud=settings.cloud,
    )
    if not common.json:
        if task.unknown:
            _talk().warn(f"{task.unknown} character(s) of the prompt are not known to the model")
        if seed is None:
            _talk().say(f"seed {task.sampling.seed}")
    show.generate(task, pieces, common.json)


@app.command
def score(
    model: _MODEL,
    file: Annotated[Path, Parameter(help="JSON Lines, CSV or TSV with a text in each row.")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="JSON Lines or CSV to write.")],
    options: Annotated[SCORE, _FLAT] = SCORE(),
    common: _COMMON = Common(),
) -> None:
    """Judge every row of a file."""
    from marfa.stages.score import score as stage

    settings = _settings("sentiment", options)
    assert isinstance(settings, ClassifierSettings)
    result = stage(
        model,
        file,
        output,
        text_column=settings.data.text_column,
        encoding=settings.data.encoding,
        max_text_chars=settings.data.max_text_chars,
        engine=settings.serve.engine,
        talk=_talk(),
    )
    show.score(result, common.json)


@app.command
def deploy(
    model: _MODEL,
    /,
    *,
    plan: Annotated[
        bool, Parameter(help="Say what would exist, be sent and cost; make nothing.", negative="")
    ] = False,
    policy: Annotated[
        bool, Parameter(help="Print the rights that deploying needs, as a policy.", negative="")
    ] = False,
    options: Annotated[DEPLOY, _FLAT] = DEPLOY(),
    common: _COMMON = Common(),
) -> None:
    """Put a model on AWS, behind a public address with a page; again for a new version."""
    from marfa.stages.deploy import deploy as stage

    settings = _settings("", options)
    how = "policy" if policy else "plan" if plan else "deploy"
    result = stage(model, settings.cloud, _talk(), workdir=settings.place.workdir, how=how)
    show_cloud.deploy(result, how, common.json)


@app.command
def status(
    deployment: Annotated[str, Parameter(help="Name of one; all if not given.")] = "",
    /,
    *,
    options: Annotated[CLOUD, _FLAT] = CLOUD(),
    common: _COMMON = Common(),
) -> None:
    """Say what is up on AWS, until when, what it has cost, and what it costs an hour."""
    from marfa.stages.status import status as stage

    show_cloud.status(stage(deployment, _settings("", options).cloud), common.json)


@app.command
def renew(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[RENEW, _FLAT] = RENEW(),
    common: _COMMON = Common(),
) -> None:
    """Let a lease end so long from now: --lease 2h."""
    from marfa.stages.renew import renew as stage

    show_cloud.renew(stage(deployment, _settings("", options).cloud, _talk()), common.json)


@app.command
def rollback(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[CLOUD, _FLAT] = CLOUD(),
    common: _COMMON = Common(),
) -> None:
    """Put the version live again that was so before."""
    from marfa.stages.rollback import rollback as stage

    show_cloud.rollback(stage(deployment, _settings("", options).cloud, _talk()), common.json)


@app.command
def destroy(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[CLOUD, _FLAT] = CLOUD(),
    common: _COMMON = Common(),
) -> None:
    """Delete everything of a deployment, and prove that nothing is left."""
    from marfa.stages.destroy import destroy as stage

    show_cloud.destroy(stage(deployment, _settings("", options).cloud, _talk()), common.json)


@app.command
def doctor(*, options: Annotated[DOCTOR, _FLAT] = DOCTOR(), common: _COMMON = Common()) -> None:
    """Say what is installed, reachable or missing, and what to type; exit 1 if something is."""
    from marfa.stages.doctor import doctor as stage

    result = stage(_settings("", options))
    show.doctor(result, common.json)
    if not result["ok"]:
        raise SystemExit(1)


def run_tokens(tokens: Sequence[str]) -> int:
    """Run the command that the tokens spell; every error becomes a sentence and an exit code."""
    stderr = _stderr()
    app.console, app.error_console = show.stdout(), stderr
    try:
        app(list(tokens), exit_on_error=False, print_error=False, help_on_error=False)
    except CycloptsError as error:
        stderr.print(f"marfa: {error}", style="red", markup=False, highlight=False)
        stderr.print(f"  see: marfa {tokens[0] if tokens else ''} --help".rstrip(), markup=False)
        return 2
    except MarfaError as error:
        if "--debug" in tokens:
            traceback.print_exc()
        _explain(error, stderr)
        return error.exit_code
    except KeyboardInterrupt:
        stderr.print("marfa: interrupted; run the same command again to go on", markup=False)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        return 0
    except OSError as error:
        if "--debug" in tokens:
            traceback.print_exc()
        found = files.disk_error(error, Path(error.filename or "."))
        _explain(found, stderr)
        return found.exit_code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        if "--debug" in tokens:
            traceback.print_exc()
        stderr.print(
            f"marfa: something that should not happen did: {type(error).__name__}\n"
            "  run again with --debug and report what it shows",
            style="red",
            markup=False,
        )
        return 1
    return 0


def _explain(error: MarfaError, stderr: Console) -> None:
    style = "yellow" if isinstance(error, StoppedError) else "red"
    stderr.print(f"marfa: {error}", style=style, markup=False, highlight=False, soft_wrap=True)
    if error.hint:
        stderr.print(f"  {error.hint}", markup=False, highlight=False, soft_wrap=True)


def _settings(recipe: str, options: Any) -> Settings:
    return resolve(recipe, asdict(options), environment.read().settings)


def _stderr() -> Console:
    return Console(stderr=True, no_color=environment.read().no_color or None)


def _talk() -> Terminal:
    return Terminal(_stderr())
