"""Every kind of network, small: what the tests of networks and of engines go through."""

from marfa.settings import ModelSettings, WriterSettings

VOCABULARY, LABELS = 20, 3
SHAPES = [
    ModelSettings(
        embedding=5, hidden=4, layers=layers, bidirectional=both, pooling=pooling, skip=skip
    )
    for layers in (1, 2)
    for both in (False, True)
    for pooling in ("last", "mean", "max", "mean+max")
    for skip in (False, True)
]
WRITERS = [
    WriterSettings(input=kind, embedding=5, hidden=4, layers=layers)
    for kind in ("embedding", "one-hot")
    for layers in (1, 2, 3)
]
