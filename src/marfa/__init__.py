"""marfa: from raw text to a live recurrent model.

    >>> import marfa
    >>> model = marfa.load("work/sentiment/model.tar.gz")      # doctest: +SKIP
    >>> model.predict(["A film I would gladly see again."])    # doctest: +SKIP
    ['positive']
    >>> marfa.load("work/shakespeare/model.tar.gz").generate("My lord, ", length=300)   # doctest: +SKIP

Everything is imported when it is first used, so `import marfa` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "load": "marfa.loading",
    "Predictor": "marfa.predictor",
    "Writer": "marfa.writer",
    "resolve": "marfa.recipes",
    "Settings": "marfa.recipes",
    "MarfaError": "marfa.errors",
} | {
    stage: f"marfa.stages.{stage}"
    for stage in (
        *("fetch", "prepare", "train", "evaluate", "package"),
        *("predict", "generate", "score", "serve", "site"),
        *("deploy", "status", "renew", "rollback", "destroy", "rehearse"),
    )
}
__all__ = sorted([*_HOME, "__version__"])

if TYPE_CHECKING:
    from marfa.errors import MarfaError as MarfaError
    from marfa.loading import load as load
    from marfa.predictor import Predictor as Predictor
    from marfa.recipes import Settings as Settings
    from marfa.recipes import resolve as resolve
    from marfa.stages.deploy import deploy as deploy
    from marfa.stages.destroy import destroy as destroy
    from marfa.stages.evaluate import evaluate as evaluate
    from marfa.stages.fetch import fetch as fetch
    from marfa.stages.generate import generate as generate
    from marfa.stages.package import package as package
    from marfa.stages.predict import predict as predict
    from marfa.stages.prepare import prepare as prepare
    from marfa.stages.rehearse import rehearse as rehearse
    from marfa.stages.renew import renew as renew
    from marfa.stages.rollback import rollback as rollback
    from marfa.stages.score import score as score
    from marfa.stages.serve import serve as serve
    from marfa.stages.site import site as site
    from marfa.stages.status import status as status
    from marfa.stages.train import train as train
    from marfa.writer import Writer as Writer


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    message = f"module 'marfa' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__
