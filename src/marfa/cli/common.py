"""What all commands have in common: the program they belong to, and how they begin."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console

from marfa import __version__, environment
from marfa.cli.talk import Terminal
from marfa.errors import SettingsError
from marfa.recipes import Settings, resolve

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


DEBUG = Annotated[bool, Parameter(help="Show tracebacks.", negative="")]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command takes."""

    json: Annotated[bool, Parameter(help="Print one JSON document.", negative="")] = False
    debug: DEBUG = False


FLAT = Parameter(name="*")
COMMON = Annotated[Common, FLAT]
WHERE = ("cloud.region", "cloud.profile")
"""Settings of every command that looks at an account."""


def settings_of(recipe: str, options: Any) -> Settings:
    """Decide every setting of a command.

    Raises:
        SettingsError: naming what is wrong as it was written: as a flag, or as a variable.
    """
    given, exported = asdict(options), environment.read().settings
    try:
        return resolve(recipe, given, exported)
    except SettingsError as error:
        variable = f"MARFA_{error.where.upper()}"
        if any(key.rstrip("_") == error.where for key, value in given.items() if value is not None):
            error.where = f"--{error.where.replace('_', '-')}"
        elif variable in exported:
            error.where = variable
        raise


def stderr() -> Console:
    """Return the console for talk."""
    return Console(stderr=True, no_color=environment.read().no_color or None)


def talk() -> Terminal:
    """Return whom stages talk to."""
    return Terminal(stderr())
