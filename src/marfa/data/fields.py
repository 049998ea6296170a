"""What a labelled row must hold: a text, a label, perhaps a split; each checked in one place."""

from __future__ import annotations

import difflib
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marfa.data.rows import Row
from marfa.errors import DataError
from marfa.files import CHUNK

MAX_LABEL_CHARS = 200
"""A longer label is a text: the columns have been mixed up."""

_SHOWN_COLUMNS = 20
_SHOWN_CHARS = 40
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
}


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a row's parts stand, and how long a text may be.

    Attributes:
        text: column or key of the text.
        label: column or key of the label; "" where none is wanted.
        split: column or key of the split; "" when there is none.
        max_chars: longest text accepted, in characters.

    >>> Fields("review", "stars", "", 99).row({"review": "Fine", "stars": 4}, "a.jsonl:1", "a:1")
    Row(text='Fine', label='4', split='', origin='a:1')
    """

    text: str
    label: str
    split: str
    max_chars: int

    @property
    def max_line(self) -> int:
        """Characters of a line at most: JSON may spend twelve on one (an emoji as two escapes)."""
        return min(12 * self.max_chars + CHUNK, 2**31 - 2)  # the csv module takes a C long

    def require(self, found: Sequence[str], where: str) -> None:
        """Check that each wanted column is there, once.

        Args:
            found: the names of the columns or keys.
            where: the line they stand in.

        Raises:
            DataError: if one is missing or there twice; it lists those found.
        """
        wanted = {"--text-column": self.text}
        if self.label:
            wanted["--label-column"] = self.label
        if self.split:
            wanted["--split-column"] = self.split
        for flag, name in wanted.items():
            count = found.count(name)
            if count == 0:
                raise _missing(name, found, flag, where)
            if count > 1:
                message = f"{count} columns named {name!r}; expected one"
                raise DataError(
                    message, where=where, hint=f"rename one, or give another with {flag}"
                )

    def row(self, values: Mapping[str, object], where: str, origin: str) -> Row:
        """Build a row of values that `require` has found.

        Args:
            values: all columns of the row.
            where: file and line, for errors.
            origin: what the row keeps of that.

        Returns:
            The row.

        Raises:
            DataError: if a value is of the wrong kind, empty or too long.
        """
        return Row(
            check_text(values[self.text], where, self.max_chars),
            check_label(values[self.label], where) if self.label else "",
            _check_split(values[self.split], where) if self.split else "",
            origin,
        )


def kind_of(value: object) -> str:
    """Name a JSON value's kind without showing it.

    >>> kind_of(None), kind_of({"a": 1})
    ('null', 'an object')
    """
    return "null" if value is None else _KINDS.get(type(value), "an object")


def check_text(value: object, where: str, max_chars: int) -> str:
    """Return a text as it is, unless it is none or too long.

    Raises:
        DataError: if it is no string, or longer than `max_chars`.
    """
    if not isinstance(value, str):
        message = f"the text is {kind_of(value)}; expected a string"
        raise DataError(message, where=where, hint="if another key holds it: --text-column NAME")
    if len(value) > max_chars:
        message = f"a text of {len(value)} characters; expected {max_chars} at most"
        raise DataError(message, where=where, hint=f"--max-text-chars {len(value)}")
    return value


def check_label(value: object, where: str) -> str:
    """Return a label without the white space around it; numbers as JSON writes them.

    Raises:
        DataError: if it is empty, too long, of control characters, or nothing that names a class.

    >>> check_label(" positive ", "a.csv:2"), check_label(1, ""), check_label(True, "")
    ('positive', '1', 'true')
    """
    hint = "give every text a label; if another column holds it: --label-column NAME"
    if not isinstance(value, str | int | float):
        message = f"the label is {kind_of(value)}; expected a name or a number"
        raise DataError(message, where=where, hint=hint)
    if isinstance(value, float) and not math.isfinite(value):
        message = "the label is NaN or infinite; expected a name or a number"
        raise DataError(message, where=where, hint=hint)
    label = value.strip() if isinstance(value, str) else json.dumps(value)
    if not label:
        message = "the label is empty; expected a name or a number"
        raise DataError(message, where=where, hint=hint)
    if len(label) > MAX_LABEL_CHARS:
        message = f"a label of {len(label)} characters; expected {MAX_LABEL_CHARS} at most"
        raise DataError(message, where=where, hint=hint)
    # They could not be written to a bundle (surrogates) or shown in a terminal (controls).
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
        message = "the label holds a control character or half of a surrogate pair"
        raise DataError(message, where=where, hint=hint)
    return label


def _check_split(value: object, where: str) -> str:
    split = "" if value is None else value.strip().lower() if isinstance(value, str) else None
    if split not in ("", "train", "test"):
        message = "the split is neither train nor test nor empty"
        hint = "rename it, or let marfa split: leave out --split-column"
        raise DataError(message, where=where, hint=hint)
    return split


def _missing(name: str, found: Sequence[str], flag: str, where: str) -> DataError:
    # Where the first line holds no names, it holds a text, of which nothing long is shown.
    columns = [column for column in found[:_SHOWN_COLUMNS] if len(column) <= _SHOWN_CHARS]
    listed = ", ".join(repr(column) for column in columns) or "none"
    more = f" and {len(found) - len(columns)} more" if len(found) > len(columns) else ""
    close = difflib.get_close_matches(name.lower(), [column.lower() for column in columns], 1)
    meant = [column for column in columns if close and column.lower() == close[0]]
    message = f"no column {name!r}; found {listed}{more}"
    hint = f"did you mean {meant[0]!r}? {flag} {meant[0]}" if meant else f"name it: {flag} NAME"
    return DataError(message, where=where, hint=hint)
