"""`python -m marfa` is `marfa`."""

from __future__ import annotations

import sys

from marfa.cli import main

sys.exit(main())
