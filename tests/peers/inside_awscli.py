"""Runs in the stack `awscli`: each line is a list of arguments, as a person types them after `aws`."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def main():
    """Run commands until nobody asks."""
    answers = sys.stdout
    for line in sys.stdin:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = create_clidriver().main(json.loads(line))
        told = [each.detach().getvalue().decode() for each in _flushed(out, err)]
        answers.write(json.dumps({"code": code, "out": told[0], "err": told[1]}) + "\n")
        answers.flush()


def _flushed(*streams):
    for stream in streams:
        stream.flush()
        yield stream


main()
