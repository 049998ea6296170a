"""The bytes of requests and answers that a process holds at once, and who makes way where room is short.

Whoever waits for a client holds what it has for as long as that client likes. So where there is no
room left, the largest of those makes way, and no client can take the place of the others by being slow.
"""

from __future__ import annotations

import asyncio

from marfa.errors import OverloadedError

MADE_WAY = "others needed the room that this took"
"""Why the task of a request is cancelled, if not because its client has gone or it is time to stop."""


class Room:
    """What all requests of a process hold.

    Args:
        limit: bytes at most.

    Attributes:
        held: bytes.
        idle: who waits for a client, in the order in which that began.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0
        self.idle: dict[Place, None] = {}


class Place:
    """What one request holds; it belongs to the task that makes it.

    Args:
        room: where it is.

    Attributes:
        size: bytes.
    """

    def __init__(self, room: Room) -> None:
        self._room, self.size = room, 0
        self._task = asyncio.current_task()

    def take(self, size: int) -> None:
        """Hold some more bytes.

        Raises:
            OverloadedError: if there is no room for them, and nobody who could make way holds as much.
        """
        self.size += size
        self._room.held += size
        while self._room.held > self._room.limit:
            largest = max(self._room.idle, key=lambda each: each.size, default=self)
            if largest is self or largest.size < self.size:
                message = "too many large requests at once"
                raise OverloadedError(message)
            largest.make_way()

    def leave(self) -> None:
        """Hold nothing any more."""
        self._room.held -= self.size
        self.size = 0

    def wait(self) -> None:
        """Begin to wait for the client; the task is cancelled where others need the room."""
        self._room.idle[self] = None

    def go_on(self) -> None:
        """Wait no longer."""
        self._room.idle.pop(self, None)

    def make_way(self) -> None:
        """Hold nothing any more, and end the task, which waits for its client."""
        self.go_on()
        self.leave()
        if self._task:
            self._task.cancel(MADE_WAY)
