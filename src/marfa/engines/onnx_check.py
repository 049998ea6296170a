"""What a graph may be made of, looked at before ONNX Runtime sees it, since it would run anything.

A graph is a program. Here it may hold the operators that marfa's own graphs are made of, and its weights
within itself: no operator of somebody's own, no loop or branch, no file beside it, and nothing that is
computed of constants alone, which would be done, however large, while it is loaded. The form is that of
Protocol Buffers; the numbers of fields are those of `onnx.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator

from marfa.errors import BundleError

_OPERATORS = """
Add Cast Concat Div DynamicQuantizeLinear Flatten Gather Gemm LSTM Less MatMul MatMulInteger MaxPool Mul
OneHot Range ReduceMax ReduceSum Reshape Shape Squeeze Transpose Unsqueeze Where
com.microsoft.DynamicQuantizeLSTM
"""
OPERATORS = frozenset(_OPERATORS.split())
"""What the graphs of every version of marfa are made of."""

_MOST_NODES = 512
_LARGEST = 1 << 24
"""No axis, size or number of symbols in a graph is larger."""
_INTS = {6, 7}

_Field = int | memoryview


def check(graph: bytes, where: str) -> None:
    """Refuse a graph that is more than numbers and marfa's own operators.

    Args:
        graph: a serialised ONNX model.
        where: the name of its file, for messages.

    Raises:
        BundleError: saying what it holds.
    """
    try:
        problem = _model(memoryview(graph))
    except (IndexError, ValueError, UnicodeDecodeError):
        problem = "no graph"
    if problem:
        message = f"the graph cannot be loaded: {problem}"
        raise BundleError(message, where=where, hint="package the model again, or --engine numpy")


def _model(model: memoryview) -> str:
    graphs = [_bytes(field) for number, field in _fields(model) if number == 7]
    if any(number in {20, 25} for number, _ in _fields(model)):
        return "it holds functions of its own"
    if len(graphs) != 1:
        return "it holds no graph, or several"
    return _graph(graphs[0])


def _graph(graph: memoryview) -> str:
    nodes, constants = [], {""}
    for number, field in _fields(graph):
        if number == 15:
            return "it holds sparse weights"
        if number == 5:
            name, problem = _tensor(_bytes(field))
            if problem:
                return problem
            constants.add(name)
        elif number == 1:
            nodes.append(_bytes(field))
    if len(nodes) > _MOST_NODES:
        return f"it holds more than {_MOST_NODES} operators"
    return next((problem for node in nodes if (problem := _node(node, constants))), "")


def _node(node: memoryview, constants: set[str]) -> str:
    inputs, kind, domain = [], "", ""
    for number, field in _fields(node):
        if number == 1:
            inputs.append(_text(field))
        elif number == 4:
            kind = _text(field)
        elif number == 7:
            domain = _text(field)
        elif number == 5 and (problem := _attribute(_bytes(field))):
            return problem
    if (f"{domain}.{kind}" if domain else kind) not in OPERATORS:
        return "it holds an operator that no graph of marfa has"
    return "it computes with constants alone" if constants.issuperset(inputs) else ""


def _attribute(attribute: memoryview) -> str:
    """Look at an option of an operator: numbers and words, and no tensor or graph within."""
    for number, field in _fields(attribute):
        if number in {5, 6, 10, 11, 22, 23}:
            return "an operator holds a graph or weights of its own"
        if number in {3, 8} and any(abs(each) > _LARGEST for each in _ints(field)):
            return "a number in it is too large"
    return ""


def _tensor(tensor: memoryview) -> tuple[str, str]:
    """Return a tensor's name, and what is wrong with it."""
    name, kind, raw, ints = "", 0, memoryview(b""), list[int]()
    for number, field in _fields(tensor):
        if number == 13 or (number == 14 and field != 0):
            return name, "its weights are in another file"
        if number == 1 and any(not 0 <= axis <= _LARGEST for axis in _ints(field)):
            return name, "a number in it is too large"
        if number == 8:
            name = _text(field)
        elif number == 2:
            kind = _int(field)
        elif number == 9:
            raw = _bytes(field)
        elif number in {5, 7}:
            ints += _ints(field)
    width = {6: 4, 7: 8}.get(kind, 0)
    if width and len(raw) <= 64 * width:
        ints += [
            int.from_bytes(raw[at : at + width], "little", signed=True)
            for at in range(0, len(raw), width)
        ]
    large = kind in _INTS and any(abs(each) > _LARGEST for each in ints)
    return name, "a number in it is too large" if large else ""


def _fields(message: memoryview) -> Iterator[tuple[int, _Field]]:
    """Yield number and value of each field of a message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, form = tag >> 3, tag & 7
        if form == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(form, -1)
        if form == 2:
            length, at = _varint(message, at)
        if length < 0 or at + length > len(message):
            message_ = "a field ends beyond its message"
            raise ValueError(message_)
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            message_ = "a number has no end"
            raise ValueError(message_)


def _ints(field: _Field) -> list[int]:
    """Return whole numbers, one or packed; those below zero stand as what 64 bits make of them."""
    if isinstance(field, int):
        found = [field]
    else:
        found, at = [], 0
        while at < len(field):
            value, at = _varint(field, at)
            found.append(value)
    return [each - (1 << 64) if each >> 63 else each for each in found]


def _int(field: _Field) -> int:
    if isinstance(field, int):
        return field
    message = "expected a number"
    raise ValueError(message)


def _bytes(field: _Field) -> memoryview:
    if isinstance(field, int):
        message = "expected a message"
        raise ValueError(message)  # noqa: TRY004, a malformed file, like the others
    return field


def _text(field: _Field) -> str:
    return str(bytes(_bytes(field)), "utf-8")
