"""What a job costs: at most, told before it begins, and in the end, as AWS has counted it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from marfa.aws import price
from marfa.aws.pace import duration

SPOT_SHARE = Decimal("0.35")
"""What spot machines are reckoned to cost of the list price; AWS promises "up to 90 % less", and no
more than that."""


@dataclass(frozen=True, kw_only=True)
class JobPrice:
    """What a job may cost.

    Attributes:
        machine: such as "ml.m5.xlarge".
        machines: how many.
        limit: how long it may compute; None where AWS sets no end.
        spot: whether AWS may take the machines back.
        region: where it runs.
    """

    machine: str
    machines: int = 1
    limit: timedelta | None = None
    spot: bool = False
    region: str = ""

    @property
    def hourly(self) -> Decimal | None:
        """Return dollars an hour of all machines at the list price; None where it is not known."""
        one = price.ran(self.machine, timedelta(hours=1))
        return None if one is None else one * self.machines

    @property
    def most(self) -> Decimal | None:
        """Return the dollars that it costs at most; None without a limit or a price."""
        if self.hourly is None or self.limit is None:
            return None
        return self.hourly * Decimal(self.limit.total_seconds()) / 3600

    def of(self, seconds: float) -> Decimal | None:
        """Return the dollars of so many seconds that AWS bills; None where the price is not known."""
        return None if self.hourly is None else self.hourly * Decimal(seconds) / 3600

    def lines(self) -> list[str]:
        """Say it, a sentence a line.

        >>> for line in JobPrice(machine="ml.m5.xlarge", limit=timedelta(hours=1), spot=True).lines():
        ...     print(line)
        1 ml.m5.xlarge: $0.23 an hour; at most $0.23, for 1 h
        spot machines cost about a third of that: likely $0.0805 at most
        list prices of us-east-1 as of 2026-11
        """
        machines = f"{self.machines} {self.machine}"
        if self.hourly is None:
            where = "aws.amazon.com/sagemaker/pricing tells it"
            return [f"{machines}: paid by the hour, and its price is not known here: {where}"]
        said = f"{machines}: {price.money(self.hourly)} an hour"
        if self.most is None or self.limit is None:
            return [said, price.whose(self.region)]
        limit = duration(self.limit.total_seconds()).removeprefix("about ").removesuffix(" 0 min")
        told = [f"{said}; at most {price.money(self.most, up=True)}, for {limit}"]
        if self.spot:
            likely = price.money(self.most * SPOT_SHARE, up=True)
            told.append(f"spot machines cost about a third of that: likely {likely} at most")
        return [*told, price.whose(self.region)]

    def document(self) -> dict[str, Any]:
        """Return it for JSON, in dollars."""
        amounts = {"hourly": self.hourly, "most": self.most}
        return {
            "machine": self.machine,
            "machines": self.machines,
            "spot": self.spot,
            **{name: None if value is None else float(value) for name, value in amounts.items()},
        }
