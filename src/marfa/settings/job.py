"""Training and scoring as a job: on SageMaker, or by the same contract on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.settings.declare import Checked, setting


@dataclass(frozen=True, kw_only=True)
class JobSettings(Checked):
    """The machines of a job, and what it may cost; none of it changes a result."""

    machine: str = setting(
        "ml.m5.xlarge", "Machine of a job; the price is shown first.", outcome=False
    )
    machines: int = setting(
        1, "Machines that train one network together.", low=1, high=16, outcome=False
    )
    spot: bool = setting(
        True,
        "Take machines that AWS may want back, for about a third of the price; the job then goes on "
        "from its checkpoint.",
        outcome=False,
    )
    max_runtime: str = setting(
        "1h", "Longest time that a job may compute, such as 45m or 2h.", outcome=False
    )
    max_wait: str = setting(
        "",
        "Longest time with all waiting for spot machines; empty: twice max-runtime.",
        outcome=False,
    )
    send: str = setting(
        "auto",
        "What of the texts is sent to a training job: nothing (the job fetches them itself), the raw "
        "files, or the prepared numbers. auto sends nothing that the job can fetch.",
        choices=("auto", "nothing", "raw", "prepared"),
        outcome=False,
    )
    job_image: str = setting(
        "",
        "Container of a training job: a known name, or the address of one's own; AWS's for the "
        "machine if empty.",
        outcome=False,
    )
    disk: int = setting(10, "Gigabytes of a job's disk.", low=1, high=1000, outcome=False)
