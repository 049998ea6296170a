"""Where the texts of a run come from: a data set, the embedded sample, or the user's own files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from marfa import __version__, files
from marfa.data import corpus, imdb, sample
from marfa.data import files as own_files
from marfa.data.origins import ORIGINS
from marfa.data.rows import Row
from marfa.errors import DataError
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings


def archive(settings: Settings) -> Path:
    """Return where the file of a data set is kept; one download serves every run in the work folder."""
    return place(settings, settings.data.data)


def place(settings: Settings, name: str) -> Path:
    """Return where the file of the data set `name` is kept."""
    return Path(settings.place.workdir) / "raw" / name / ORIGINS[name].file


def rows(settings: ClassifierSettings) -> Iterator[Row]:
    """Yield the labelled texts.

    Args:
        settings: `data` says where from.

    Raises:
        DataError: if they cannot be read.
    """
    data = settings.data
    if data.data == "imdb":
        yield from imdb.read(archive(settings))
    elif data.data == "sample":
        yield from sample.read()
    else:
        yield from own_files.read(
            Path(data.data),
            text_column=data.text_column,
            label_column=data.label_column,
            split_column=data.split_column,
            encoding=data.encoding,
            max_text_chars=data.max_text_chars,
        )


def text(settings: GeneratorSettings) -> str:
    """Return the text to learn from, as it was found.

    Args:
        settings: `data` says where from.

    Raises:
        DataError: if it cannot be read.
    """
    data = settings.data
    if data.data == "sample":
        return "\n".join(row.text for row in sample.read()) + "\n"
    path = archive(settings) if data.data in ORIGINS else Path(data.data)
    if data.data in ORIGINS and not path.is_file():
        message = "no such file"
        raise DataError(message, where=str(path), hint=f"run: marfa fetch {settings.recipe}")
    return corpus.read(path, encoding=data.encoding, max_chars=data.max_chars)


def described(settings: Settings) -> str:
    """Say where the texts come from: a data set's name, or the whole path of one's own file."""
    name = settings.data.data
    return name if name in {*ORIGINS, "sample"} else str(Path(name).resolve())


def fingerprint(settings: Settings) -> str:
    """Hash what `rows` or `text` would read, to know whether it has changed.

    Raises:
        DataError: if it is not there.
    """
    if settings.data.data == "sample":
        return f"sample-{__version__}"
    is_known = settings.data.data in ORIGINS
    path = archive(settings) if is_known else Path(settings.data.data)
    hint = f"run: marfa fetch {settings.recipe}" if is_known else "check --data"
    try:
        if path.is_dir():
            listed = hashlib.sha256()
            inside = sorted(item for item in path.rglob("*") if item.is_file())
            for file in corpus.files_of(path) if settings.task == "generator" else inside:
                listed.update(f"{file.relative_to(path)}\0{files.hash_file(file)}\n".encode())
            return listed.hexdigest()
        return files.hash_file(path)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise DataError(message, where=str(path), hint=hint) from error
