"""Where a text under way can be taken up again: a token that names the place, the request and the model.

Nothing is kept for it, so it holds after a restart and on another machine. It is no secret and guards
none: it keeps the rest of one text from being put behind the beginning of another.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from marfa.container.messages import to_json
from marfa.errors import RequestError
from marfa.writer import Task

_TOKEN = re.compile(r"([0-9]{1,9})\.[0-9a-f]{16}")
_DIGITS = 16


class Places:
    """The places of one text.

    Args:
        model_id: the model that writes it.
        precision: of the weights that write it; with others the text would be another one.
        task: what is written, and how.
    """

    def __init__(self, model_id: str, precision: str, task: Task) -> None:
        self._task = task
        how = task.sampling
        asked = to_json(
            [
                task.prompt,
                task.length,
                float(how.temperature),
                how.top_k,
                float(how.top_p),
                how.seed,
            ]
        )
        key = f"marfa continuation {model_id} {precision}".encode()
        self._asked = hmac.new(key, asked, hashlib.sha256)

    def token(self, position: int) -> str:
        """Name a place: the number of characters before it, and what it is that they belong to."""
        named = self._asked.copy()
        named.update(b"@%d" % position)
        return f"{position}.{named.hexdigest()[:_DIGITS]}"

    def position(self, token: str) -> int:
        """Return the place that a token names.

        Raises:
            RequestError: if it is no place of this text.
        """
        found = _TOKEN.fullmatch(token)
        position = int(found[1]) if found else -1
        inside = len(self._task.prompt) <= position <= self._task.length
        if not inside or not hmac.compare_digest(self.token(position), token):
            message = "this continuation does not belong to this request and model"
            raise RequestError(message, hint="send the request and the seed that it came from")
        return position
