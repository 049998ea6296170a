"""What a training job is to do: its settings as texts, and what it is given to read."""

from __future__ import annotations

from pathlib import Path

from marfa import bundle, files, hyperparameters, record
from marfa.aws import job_code, shipment
from marfa.aws.channels import CODE, EARLIER, PREPARED, PROGRAM, RAW, Channel
from marfa.aws.training_job import Job
from marfa.data import source
from marfa.data.origins import ORIGINS
from marfa.errors import DataError, SettingsError
from marfa.recipes import Settings

SAMPLE = "sample"
_SUMS = "SHA256SUMS"
_ARCHIVE = "model.tar.gz"


def job(settings: Settings) -> Job:
    """Write down a job.

    Args:
        settings: of the run.

    Raises:
        DataError: if what is to be sent is not there yet, with the command that makes it.
        SettingsError: if it cannot be sent in this way.
        BundleError: if the earlier model that it is to begin with is none.
    """
    code = job_code.code_zip(sample=settings.data.data == SAMPLE)
    channels = [Channel(CODE, {PROGRAM: code})]
    match _way(settings):
        case "raw":
            channels.append(Channel(RAW, _raw(settings)))
        case "prepared":
            channels.append(Channel(PREPARED, _prepared(settings)))
    earlier = getattr(settings.train, "from_", "")
    if earlier:
        packed = shipment.archived(bundle.load(Path(earlier)), Path(earlier))
        channels.append(Channel(EARLIER, {_ARCHIVE: packed}))
    return Job(
        task=settings.task,
        hyperparameters=hyperparameters.write(settings),
        channels=channels,
        settings=settings.job,
    )


def _way(settings: Settings) -> str:
    """Decide what of the texts is sent."""
    data, asked = settings.data.data, settings.job.send
    is_known = data in ORIGINS or data == SAMPLE
    if asked == "auto":
        return "nothing" if is_known else "prepared" if Path(data).is_dir() else "raw"
    if asked == "nothing" and not is_known:
        message = f"a job cannot fetch {Path(data).name!r:.60} itself"
        raise SettingsError(message, where="send", hint="--send raw, or --send prepared")
    if asked == "raw" and data == SAMPLE:
        return "nothing"  # it comes with the code
    if asked == "raw" and not is_known and Path(data).is_dir():
        message = "a folder of texts is sent as the numbers made of it"
        hint = f"--send prepared, after: {settings.command('prepare')}"
        raise SettingsError(message, where="send", hint=hint)
    return asked


def _raw(settings: Settings) -> dict[str, bytes | Path]:
    """Return the file of texts; that of a known data set as in a mirror, with its hash beside it."""
    if settings.data.data not in ORIGINS:
        path = Path(settings.data.data)
        if not path.is_file():
            message = "no such file"
            raise DataError(message, where=str(path), hint="check --data")
        return {path.name: path}
    path = source.archive(settings)
    if not path.is_file():
        message = "it has not been fetched, so it cannot be sent"
        hint = f"marfa fetch {settings.recipe}; or --send nothing, and the job fetches it"
        raise DataError(message, where=str(path), hint=hint)
    return {path.name: path, _SUMS: f"{files.hash_file(path)}  {path.name}\n".encode()}


def _prepared(settings: Settings) -> dict[str, bytes | Path]:
    """Return the numbers, and the record that says what they were made of."""
    folder = settings.folder / "dataset"
    inputs = {"source": source.fingerprint(settings)}
    made = record.outputs(folder, "prepare", inputs, hint=settings.command("prepare"))
    names = [*made, record.place(folder, "prepare").name]
    return {name: folder / name for name in names}
