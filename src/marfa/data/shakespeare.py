"""Tiny Shakespeare: a megabyte of the plays, in one text file."""

from __future__ import annotations

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
"""Where it was published first."""
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394
CITATION = (
    "Andrej Karpathy (2015). The Unreasonable Effectiveness of Recurrent Neural Networks; the data "
    "set tinyshakespeare of char-rnn. The plays are William Shakespeare's."
)
