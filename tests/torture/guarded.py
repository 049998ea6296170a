"""Which promises a room makes, read from its source: each must have a bug that turns it red.

From the source and not from a run, since a run may leave some out: where the machine is busy, say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAKERS = {"Promise"}
_FIGURE = "0"
"""What stands in the place of all that is put into a name where it is made."""
_NUMBER = re.compile(r"\d[\d.,]*")


def claim(name: str) -> str:
    """Return what a promise says, without of what it says that, and without its figures.

    >>> claim("5 times capacity, one review: /ping within 200 ms")
    '/ping within N ms'
    """
    return _NUMBER.sub("N", name.rpartition(": ")[2])


def claims(room: Path) -> set[str]:
    """Return what is claimed by all promises that the modules of a room can make.

    Raises:
        ValueError: if the name of one cannot be read there.
    """
    modules = [path for path in room.glob("*.py") if not path.name.startswith("test_")]
    return read(path.read_text("utf-8") for path in modules)


def read(sources: Iterable[str]) -> set[str]:
    r"""Return what is claimed in sources.

    >>> sorted(read(['def made(name): Promise(name, 1, 1)', 'made("a: b"); made(f"{x}: c {y}")']))
    ['b', 'c N']
    """
    trees = [ast.parse(source) for source in sources]
    makers: set[str] = set(_MAKERS)
    while True:  # until no function is found that is given the name of the promise it makes
        found = [each for tree in trees for each in _made(tree, makers)]
        more = {function for function, name in found if name is None} - makers
        if not more:
            return {_written(name) for _, name in found if name is not None}
        makers |= more


def _made(tree: ast.AST, makers: set[str], within: ast.AST | None = None) -> Iterator[_Made]:
    """Yield for each promise the function that makes it, and its name; None for one it is given."""
    for node in ast.iter_child_nodes(tree):
        function = node if isinstance(node, ast.FunctionDef) else within
        yield from _made(node, makers, function)
        if isinstance(node, ast.Call) and _called(node) in makers:
            given = [each.value for each in node.keywords if each.arg == "name"]
            name = node.args[0] if node.args else given[0]
            own = function.args if isinstance(function, ast.FunctionDef) else None
            theirs = [*own.posonlyargs, *own.args, *own.kwonlyargs] if own else []
            if isinstance(name, ast.Name) and name.id in {each.arg for each in theirs}:
                assert isinstance(function, ast.FunctionDef)
                yield function.name, None
            else:
                yield "", name


_Made = tuple[str, ast.expr | None]


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _written(name: ast.expr) -> str:
    pieces = name.values if isinstance(name, ast.JoinedStr) else [name]
    text = "".join(
        str(each.value) if isinstance(each, ast.Constant) else _FIGURE for each in pieces
    )
    said = claim(text)
    if not re.search("[a-z]", said):
        message = f"line {name.lineno}: what is promised is not to be read from {ast.unparse(name)}"
        raise ValueError(message)
    return said
