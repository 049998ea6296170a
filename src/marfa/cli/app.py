"""The commands. Each resolves its settings, calls its stage, and prints what came back."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from marfa import environment
from marfa.cli import cloud, flags, show, show_cloud
from marfa.cli.common import COMMON, DEBUG, FLAT, WHERE, Common, app, settings_of, talk
from marfa.errors import RequestError, SettingsError
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings

__all__ = ["app", "cloud"]

_RUN = ("place.workdir", "data.data")  # with the preset and the name, which run is meant
FETCH = flags.make("place", "data.data")
PREPARE = flags.make("place.workdir", "data", "text")
_JOB = ("job", "cloud.deployment", "cloud.max_kbps", *WHERE)
TRAIN = flags.make("place", "data", "text", "model", "train", "package", *_JOB)
_ELSEWHERE = ("place.mirror", "place.offline", "data", "text", "package", *_JOB)
_BEGUN = (
    *("preset", "name", "place.mirror", "place.offline", "data", "data.data", "text", "model"),
    *("train", "package", "job", "cloud.deployment", "cloud.max_kbps"),
)
"""What decides nothing of a job that was begun already."""
_ACCOUNT = (*("job.spot", "job.max_wait", "job.job_image", "job.disk", "cloud.max_kbps", *WHERE),)
"""What decides nothing of a job that is a process on this machine."""
EVALUATE = flags.make(*_RUN, "train.sample", "train.threads", "package", *WHERE)
PACKAGE = flags.make(*_RUN, "train.sample", "package")
RUN = flags.make("place", "data", "text", "model", "train", "package", "serve")
SERVE = flags.make("place.workdir", "serve", recipe=False)
PREDICT = flags.make("serve.engine", *WHERE, recipe=False)
GENERATE = flags.make("write", "serve.engine", *WHERE, recipe=False)
_THERE = ("job.machine", "cloud.image", "cloud.deployment", "cloud.max_kbps", *WHERE)
SCORE = flags.make(
    *("place.workdir", "data.text_column", "data.encoding", "data.max_text_chars"),
    *("serve.engine", "serve.workers", *_THERE),
    recipe=False,
)
DOCTOR = flags.make("place", recipe=False)
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


@app.command
def run(
    recipe: _RECIPE = "",
    /,
    *,
    until: Annotated[str, Parameter(help="Last stage to run.")] = "serve",
    serve: Annotated[bool, Parameter(help="Serve at the end.")] = True,
    options: Annotated[RUN, FLAT] = RUN(),
    common: COMMON = Common(),
) -> None:
    """All stages; the server checks itself, and on a terminal then goes on until Ctrl-C."""
    from marfa.stages.run import run as stage
    from marfa.stages.serve import serve as serving

    settings = settings_of(recipe, options)
    result = stage(settings, talk(), until=until, serve=serve)
    show.run(result, common.json)
    if "checks" in result and sys.stdout.isatty() and not common.json:
        serving(result["stages"]["package"]["file"], settings.serve, talk())


@app.command
def fetch(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[FETCH, FLAT] = FETCH(),
    common: COMMON = Common(),
) -> None:
    """Bring the raw texts: from their origin, or from --mirror; resumed, verified."""
    from marfa.stages.fetch import fetch as stage

    show.fetch(stage(settings_of(recipe, options), talk()), common.json)


@app.command
def prepare(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[PREPARE, FLAT] = PREPARE(),
    common: COMMON = Common(),
) -> None:
    """Turn texts into numbers, and show what they look like."""
    from marfa.stages.prepare import prepare as stage

    show.prepare(stage(settings_of(recipe, options), talk()), common.json)


@app.command
def train(
    recipe: _RECIPE = "",
    /,
    *,
    on: Annotated[
        str | None, Parameter(help="Where: here, or sagemaker, as a job. [default: here]")
    ] = None,
    attach: Annotated[
        str, Parameter(help="Follow and fetch the job of this name, wherever it was begun.")
    ] = "",
    options: Annotated[TRAIN, FLAT] = TRAIN(),
    common: COMMON = Common(),
) -> None:
    """Train the network, here or on SageMaker, or go on where an earlier run was stopped."""
    from marfa.stages.train import train as stage

    settings = settings_of(recipe, options)
    is_here = on in {None, "here"} and not attach
    if attach:
        _refuse_beside_attach(on, options)
    elif is_here:
        flags.refuse(
            options, _ELSEWHERE, "only --on sagemaker asks it; here, prepare and package do"
        )
    else:
        _refuse_of_a_job(settings, options)
    result = stage(settings, talk(), on=on or "here", attach=attach)
    show.train(result, common.json) if is_here else show_cloud.trained(result, common.json)


def _refuse_beside_attach(on: str | None, options: Any) -> None:
    """Refuse what decides nothing of a job that was begun already; a marfa.toml may say where it is."""
    hint = "leave it out: the job has been begun, and says by itself what it is of"
    if on == "here":
        message = "this would decide nothing of a job that is attached, which is on SageMaker"
        raise SettingsError(message, where="--on", hint=hint)
    flags.refuse(options, _BEGUN, hint, "a job that is attached")


def _refuse_of_a_job(settings: Settings, options: Any) -> None:
    """Refuse what a job is not asked, and what one on this machine is not."""
    from marfa.aws.training_job import LOCAL

    hint = "leave it out: a job keeps its checkpoints by itself, where its next try finds them"
    flags.refuse(options, ("train.checkpoints",), hint, "a job")
    if settings.job.machine == LOCAL:
        hint = "leave it out, or name a machine of SageMaker's with --machine"
        flags.refuse(options, _ACCOUNT, hint, f"a job of the machine {LOCAL!r}")


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
    options: Annotated[EVALUATE, FLAT] = EVALUATE(),
    common: COMMON = Common(),
) -> None:
    """Measure on texts not learnt from, beside honest baselines; write metrics.json and report.html."""
    from marfa.stages.evaluate import evaluate as stage

    settings = settings_of(recipe, options)
    if per_label < 0:
        message = f"{per_label} is outside 0 or more"
        raise SettingsError(message, where="per-label")
    result = stage(settings, talk(), against=against, per_label=per_label)
    show.evaluate(result, common.json)


@app.command
def package(
    recipe: _RECIPE = "",
    /,
    *,
    options: Annotated[PACKAGE, FLAT] = PACKAGE(),
    common: COMMON = Common(),
) -> None:
    """Make model.tar.gz, and prove that it answers."""
    from marfa.stages.package import package as stage

    show.package(stage(settings_of(recipe, options), talk()), common.json)


@app.command
def serve(
    model: _MODEL | None = None,
    /,
    *,
    options: Annotated[SERVE, FLAT] = SERVE(),
    debug: DEBUG = False,
) -> None:
    """Serve a model until Ctrl-C: SageMaker's contract, the HTTP API and the page."""
    environment.let_blas_use_one_thread()
    from marfa.stages.serve import serve as stage

    settings = settings_of("", options)
    stage(model or settings.model_file, settings.serve, talk())


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
    explain: Annotated[
        bool,
        Parameter(help="Say which words speak for the label, and which against it.", negative=""),
    ] = False,
    against: _AGAINST = "",
    options: Annotated[PREDICT, FLAT] = PREDICT(),
    common: COMMON = Common(),
) -> None:
    """Judge a few texts."""
    from marfa.stages.predict import predict as stage

    if not texts and not against:
        message = "no model is named"
        raise SettingsError(message, hint="marfa predict MODEL TEXT, or --against URL_OR_NAME TEXT")
    model, given = ("", texts) if against else (texts[0], texts[1:])
    asked = list(given) if given and given != ("-",) else [show.read_stdin()]
    settings = settings_of("", options)
    judged = stage(
        model,
        asked,
        engine=settings.serve.engine,
        explain=explain,
        against=against,
        cloud=settings.cloud,
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
    options: Annotated[GENERATE, FLAT] = GENERATE(),
    common: COMMON = Common(),
) -> None:
    """Write a text, character by character."""
    from marfa.stages.generate import generate as stage

    settings = settings_of("shakespeare", options)
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
            talk().warn(f"{task.unknown} character(s) of the prompt are not known to the model")
        if seed is None:
            talk().say(f"seed {task.sampling.seed}")
    show.generate(task, pieces, common.json)


@app.command
def score(
    model: _MODEL,
    file: Annotated[
        Path, Parameter(help="JSON Lines, CSV, TSV or Parquet with a text in each row.")
    ],
    /,
    *,
    output: Annotated[
        Path,
        Parameter(name=["--output", "-o"], help="JSON Lines, CSV, TSV or Parquet to write."),
    ],
    on: Annotated[str, Parameter(help="Where: here, or sagemaker, as a job.")] = "here",
    options: Annotated[SCORE, FLAT] = SCORE(),
    common: COMMON = Common(),
) -> None:
    """Judge every row of a file, here or on SageMaker."""
    from marfa.stages.score import score as stage

    settings = settings_of("sentiment", options)
    assert isinstance(settings, ClassifierSettings)
    if on == "here":
        flags.refuse(options, _THERE, "only --on sagemaker asks it", "scoring on this machine")
    result = stage(
        model,
        file,
        output,
        text_column=settings.data.text_column,
        encoding=settings.data.encoding,
        max_text_chars=settings.data.max_text_chars,
        engine=settings.serve.engine,
        workers=settings.serve.workers,
        talk=talk(),
        on=on,
        job=settings.job,
        settings=settings.cloud,
        workdir=settings.place.workdir,
    )
    show.score(result, common.json)
    if "job" in result and not common.json:
        show_cloud.scored(result)


@app.command
def site(
    action: Annotated[Literal["export"], Parameter(help="What to do: export.")],
    model: _MODEL,
    folder: Annotated[Path, Parameter(help="Where to write; made if it is not there.")],
    /,
    *,
    common: COMMON = Common(),
) -> None:
    """Write the page and the model as a folder for any host of files; it answers by itself."""
    from marfa.stages.site import site as stage

    assert action == "export"
    show.site(stage(model, folder, talk()), common.json)


@app.command
def doctor(*, options: Annotated[DOCTOR, FLAT] = DOCTOR(), common: COMMON = Common()) -> None:
    """Say what is installed, reachable or missing, and what to type; exit 1 if something is."""
    from marfa.stages.doctor import doctor as stage

    result = stage(settings_of("", options))
    show.doctor(result, common.json)
    if not result["ok"]:
        raise SystemExit(1)
