"""Write docs/cli.md and docs/environment.md from the code, or check that they are in step with it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from marfa.cli.app import app
from marfa.cli.flags import meaning, recipes_of
from marfa.recipes import RECIPES
from marfa.settings import SECTIONS, TASKS, declared, spelled

HERE = Path(__file__).parent
NOTE = "<!-- written by `make docs` from the code; edit the code instead -->\n"


def cli() -> str:
    """Every command's --help, as it prints."""
    names = sorted(name for name in app if not name.startswith("-"))
    parts = [NOTE, "# The command line\n", _help([])]
    for name in names:
        parts += [f"## marfa {name}\n", _help([name])]
    return "\n".join(parts)


def _help(tokens: list[str]) -> str:
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=False, color_system=None)
    app.help_print(tokens, console=console)
    lines = (line.rstrip() for line in text.getvalue().strip().splitlines())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def environment() -> str:
    """Every setting with its flag, its variable, its place in marfa.toml, and its default."""
    parts = [
        NOTE,
        "# Settings\n",
        "Each has one name. As a flag it is written with dashes, as a variable in capitals after",
        "`MARFA_`, and in `marfa.toml` under its section. A flag wins over a variable, a variable over",
        "`marfa.toml`, that over the preset, and the preset over the default. An unknown name is an",
        "error; so is a flag or a key of the other task, while a variable of it is passed over, and a",
        "`marfa.toml` that names another recipe than the command. `preset`, `name` and, in the file,",
        "`recipe` stand before all sections.\n",
        "Besides, `NO_COLOR` turns colours off and `OMP_NUM_THREADS` stands for `threads = 0`.\n",
    ]
    for section in SECTIONS:
        parts += [f"## [{section}]\n"]
        parts += ["| key | flag | variable | default | meaning |", "|---|---|---|---|---|"]
        found: dict[tuple[str, str, str], list[str]] = {}
        for task, of, item in declared():
            if of == section:
                row = (spelled(item), str(item.default), meaning(item))
                found.setdefault(row, []).append(task)
        for (key, default, words), tasks in sorted(found.items(), key=lambda row: row[0][0]):
            only = "" if len(tasks) == len(TASKS) else f"{recipes_of(tasks[0])}: "
            flag, variable = f"`--{key.replace('_', '-')}`", f"`MARFA_{key.upper()}`"
            value = f"`{default}`" if default != "" else ""
            parts.append(f"| `{key}` | {flag} | {variable} | {value} | {only}{words} |")
        parts.append("")
    parts.append("## Presets\n")
    for recipe, presets in RECIPES.items():
        for preset, values in presets.items():
            listed = ", ".join(f"{key} = {value!r}" for key, value in values.items())
            parts.append(f"- `{recipe}`, `{preset}`: {listed or 'the defaults above'}")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write both pages; with --check only say whether they are in step."""
    stale = []
    for name, text in (("cli.md", cli()), ("environment.md", environment())):
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"out of step with the code: {', '.join(stale)}; run: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
