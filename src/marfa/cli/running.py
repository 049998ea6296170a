"""Running one command: every error becomes a sentence and an exit code."""

import traceback
from collections.abc import Sequence
from pathlib import Path

from cyclopts import CycloptsError
from rich.console import Console

from marfa import files
from marfa.cli import show
from marfa.cli.app import app
from marfa.cli.common import stderr
from marfa.errors import MarfaError, StoppedError


def run_tokens(tokens: Sequence[str]) -> int:
    """Run the command that the tokens spell; every error becomes a sentence and an exit code."""
    console = stderr()
    app.console, app.error_console = show.stdout(), console
    try:
        app(list(tokens), exit_on_error=False, print_error=False, help_on_error=False)
    except CycloptsError as error:
        console.print(f"marfa: {error}", style="red", markup=False, highlight=False)
        console.print(f"  see: marfa {tokens[0] if tokens else ''} --help".rstrip(), markup=False)
        return 2
    except MarfaError as error:
        if "--debug" in tokens:
            traceback.print_exc()
        _explain(error, console)
        return error.exit_code
    except KeyboardInterrupt:
        console.print("marfa: interrupted; run the same command again to go on", markup=False)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        return 0
    except OSError as error:
        if "--debug" in tokens:
            traceback.print_exc()
        found = files.disk_error(error, Path(error.filename or "."))
        _explain(found, console)
        return found.exit_code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        if "--debug" in tokens:
            traceback.print_exc()
        console.print(
            f"marfa: something that should not happen did: {type(error).__name__}\n"
            "  run again with --debug and report what it shows",
            style="red",
            markup=False,
        )
        return 1
    return 0


def _explain(error: MarfaError, console: Console) -> None:
    style = "yellow" if isinstance(error, StoppedError) else "red"
    console.print(f"marfa: {error}", style=style, markup=False, highlight=False, soft_wrap=True)
    if error.hint:
        console.print(f"  {error.hint}", markup=False, highlight=False, soft_wrap=True)
