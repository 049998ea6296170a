"""What a job says, read from where the last look ended, and taken away with the job."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from marfa.aws.client import Cloud
from marfa.errors import CloudError, GoneError

Places = dict[str, str]
"""How far each stream has been read: CloudWatch's word for it, by stream."""

_STALE = "InvalidParameterException"
"""What CloudWatch says to a word of its own that is older than a day."""


def streams(cloud: Cloud, group: str, job: str) -> list[str]:
    """Return the streams of a job: one for each machine, and each time that it began anew.

    Args:
        cloud: the account.
        group: the log group.
        job: the job's name.
    """
    found: list[str] = []
    with contextlib.suppress(GoneError):  # there is no group before its first job
        for page in cloud.pages(
            "logs", "describe_log_streams", logGroupName=group, logStreamNamePrefix=f"{job}/"
        ):
            found += [str(each["logStreamName"]) for each in page["logStreams"]]
    return sorted(found)


def news(cloud: Cloud, group: str, job: str, places: Places) -> Iterator[str]:
    """Yield the lines that a job has said since the last look.

    Args:
        cloud: the account.
        group: the log group.
        job: the job's name.
        places: how far each stream has been read; goes on as lines are taken.
    """
    there = streams(cloud, group, job)
    several = len({machine(stream) for stream in there}) > 1
    for stream in there:
        who = f"{machine(stream)}: " if several else ""
        for message in _lines(cloud, group, stream, places):
            yield who + message


def machine(stream: str) -> str:
    """Return which of a job's machines a stream is of.

    >>> machine("marfa-soup-20261124223501-0a1b2c/algo-2-1764023701")
    'algo-2'
    """
    return stream.rpartition("/")[2].rpartition("-")[0]


def _lines(cloud: Cloud, group: str, stream: str, places: Places) -> Iterator[str]:
    while True:
        place = places.get(stream, "")
        try:
            found = cloud.call(
                "logs",
                "get_log_events",
                logGroupName=group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": place} if place else {}),
            )
        except GoneError:
            return
        except CloudError as error:
            if error.code != _STALE or not place:
                raise
            del places[stream]
            continue
        for event in found["events"]:
            yield from map(_plain, str(event["message"]).splitlines())
        ahead = str(found["nextForwardToken"])
        if ahead == place:  # at the end CloudWatch answers with the word that it was given
            return
        places[stream] = ahead


def _plain(line: str) -> str:
    r"""Return a line without what would command a terminal.

    >>> _plain("epoch 1:\tok\x1b[2J")
    'epoch 1:\tok[2J'
    """
    return "".join(letter for letter in line if letter.isprintable() or letter == "\t")


def forget(cloud: Cloud, group: str, job: str) -> int:
    """Delete the streams of a job, and return how many there were."""
    gone = 0
    for stream in streams(cloud, group, job):
        with contextlib.suppress(GoneError):
            cloud.call("logs", "delete_log_stream", logGroupName=group, logStreamName=stream)
            gone += 1
    return gone
