"""What a deployment costs, told before it is made; nothing here asks anybody.

The figures are list prices of us-east-1 in US dollars, without tax and without free tiers, gathered from
public price tables in November 2026 (`DATE`); AWS's own pages decide. Amounts are decimal, since a
hundredth of a cent matters here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from marfa.settings import CloudSettings

DATE = "2026-11"
REGION = "us-east-1"

MONTH_HOURS = 730

INSTANCES = {
    "ml.t2.medium": Decimal("0.056"),
    "ml.c5.large": Decimal("0.102"),
    "ml.m5.large": Decimal("0.115"),
    "ml.m5.xlarge": Decimal("0.23"),
    "ml.g4dn.xlarge": Decimal("0.7364"),
}
"""An hour of a machine of SageMaker's, whatever it does (aws.amazon.com/sagemaker/pricing)."""

LAMBDA_REQUEST = Decimal("0.20") / 1_000_000
LAMBDA_GB_SECOND = {"arm64": Decimal("0.0000133334"), "x86_64": Decimal("0.0000166667")}
"""Of a Lambda function (aws.amazon.com/lambda/pricing)."""

SERVERLESS_GB_SECOND = Decimal("0.00002")
"""Of a SageMaker serverless endpoint, the same for each of its sizes."""

API_REQUEST = Decimal("1.00") / 1_000_000
"""Of an HTTP API (aws.amazon.com/api-gateway/pricing)."""

STORED_GB_MONTH = Decimal("0.023")
"""In the bucket (aws.amazon.com/s3/pricing)."""

ASSUMED_MS = {"classifier": 50, "generator": 2000}
"""How long one request is reckoned to take: a review judged, some hundred letters written."""

_PROXY_MEMORY = 256
_WAY_MS = 30
"""Megabytes of the function in front of an endpoint, and what it takes beside what that does."""


@dataclass(frozen=True)
class Estimate:
    """What a deployment is going to cost.

    Attributes:
        what: what is paid by the hour, such as an instance type; empty where nothing is.
        hourly: dollars an hour while nobody asks; None where the price is not known.
        thousand: dollars for 1,000 requests.
        milliseconds: how long one request is reckoned to take.
        lease: how long it stays from now on; None for no end.
        region: where it is.
    """

    what: str
    hourly: Decimal | None
    thousand: Decimal
    milliseconds: int
    lease: timedelta | None
    region: str

    @property
    def monthly(self) -> Decimal | None:
        """Return dollars a month (730 hours) while nobody asks."""
        return None if self.hourly is None else self.hourly * MONTH_HOURS

    @property
    def total(self) -> Decimal | None:
        """Return dollars until the lease ends while nobody asks; None without an end or a price."""
        if self.hourly is None or self.lease is None:
            return None
        return self.hourly * _hours(self.lease)

    def lines(self) -> list[str]:
        """Say it, a sentence a line."""
        said = [self._idle()]
        if self.total:
            total = money(self.total, up=True)
            said.append(f"until the lease ends: about {total}, requests apart")
            said.append("which can be 5 minutes late; an update runs two machines for some minutes")
        seconds = f"{self.milliseconds / 1000:g} s"
        said.append(f"1,000 requests of {seconds} each: about {money(self.thousand)}")
        said.append(
            f"not in it: free tiers, cold starts, logs, traffic, and the bucket at "
            f"{money(STORED_GB_MONTH)} a GB and month"
        )
        said.append(whose(self.region))
        return said

    def document(self) -> dict[str, Any]:
        """Return it for JSON, in dollars."""
        amounts = {
            "hourly": self.hourly,
            "monthly": self.monthly,
            "lease_total": self.total,
            "per_1000_requests": self.thousand,
        }
        shown = {
            name: None if amount is None else float(amount) for name, amount in amounts.items()
        }
        return {
            **shown,
            "request_ms": self.milliseconds,
            "prices_of": {"region": REGION, "date": DATE, "exact": self.region == REGION},
        }

    def _idle(self) -> str:
        if self.hourly is None:
            where = "aws.amazon.com/sagemaker/pricing tells it"
            return f"{self.what} is paid by the hour, and its price is not known here: {where}"
        if not self.hourly:
            return "while nobody asks: $0 an hour"
        assert self.monthly is not None
        return (
            f"{self.what}, asked or not: {money(self.hourly)} an hour, "
            f"{money(self.monthly)} a month if it stayed"
        )


def estimate(
    settings: CloudSettings, task: str, lease: timedelta | None = None, region: str = ""
) -> Estimate:
    """Reckon what a deployment will cost.

    Args:
        settings: target, sizes, instance type.
        task: "classifier" or "generator".
        lease: how long it stays; None for no end.
        region: where it will be; that of the settings if empty.

    >>> for line in estimate(CloudSettings(target="endpoint"), "classifier", timedelta(hours=2)).lines():
    ...     print(line)
    ml.t2.medium, asked or not: $0.056 an hour, $40.88 a month if it stayed
    until the lease ends: about $0.112, requests apart
    which can be 5 minutes late; an update runs two machines for some minutes
    1,000 requests of 0.05 s each: about $0.00147
    not in it: free tiers, cold starts, logs, traffic, and the bucket at $0.023 a GB and month
    list prices of us-east-1 as of 2026-11
    """
    milliseconds = ASSUMED_MS[task]
    hourly: Decimal | None = Decimal(0)
    what = ""
    if settings.target == "endpoint":
        what, hourly = settings.instance_type, INSTANCES.get(settings.instance_type)
    waiting = milliseconds if settings.target == "lambda" else milliseconds + _WAY_MS
    return Estimate(
        what,
        hourly,
        answered(settings, 1000, 1000 * waiting, 1000 * milliseconds),
        milliseconds,
        lease,
        region or settings.region,
    )


def whose(region: str) -> str:
    """Say whose prices these are, and whether they may be others in a region.

    >>> whose("eu-west-1")
    'list prices of us-east-1 as of 2026-11; those of eu-west-1 may differ by some tens of percent'
    """
    told = f"list prices of {REGION} as of {DATE}"
    if region in (REGION, ""):
        return told
    return f"{told}; those of {region} may differ by some tens of percent"


def ran(instance_type: str, up: timedelta) -> Decimal | None:
    """Return the dollars of an endpoint that has been up for some time; None without a known price.

    >>> print(ran("ml.t2.medium", timedelta(minutes=30)))
    0.0280
    """
    hourly = INSTANCES.get(instance_type)
    return None if hourly is None else hourly * _hours(up)


def answered(
    settings: CloudSettings, requests: int, milliseconds: float, endpoint_ms: float | None = None
) -> Decimal:
    """Return the dollars of some requests: the API's, the function's, a serverless endpoint's.

    Args:
        settings: target and sizes.
        requests: how many, as CloudWatch sums the function's Invocations.
        milliseconds: of the function in all, as CloudWatch sums its Duration.
        endpoint_ms: of a serverless endpoint in all; those of the function, which waits for it, if
            they are not known, which is a little too much.
    """
    memory = settings.memory if settings.target == "lambda" else _PROXY_MEMORY
    each = LAMBDA_REQUEST + API_REQUEST
    used = _gigabyte_seconds(memory, milliseconds) * LAMBDA_GB_SECOND[settings.architecture]
    if settings.target == "serverless":
        waited = milliseconds if endpoint_ms is None else endpoint_ms
        used += _gigabyte_seconds(settings.serverless_memory, waited) * SERVERLESS_GB_SECOND
    return requests * each + used


def money(amount: Decimal | None, *, up: bool = False) -> str:
    """Write dollars: to the cent, and below a dollar with three digits that count.

    Args:
        amount: dollars, 0 or more; None for what is not known.
        up: round up, for what is promised as the most.

    >>> money(Decimal("83.954")), money(Decimal("0.112")), money(Decimal("0.1")), money(Decimal(0))
    ('$83.95', '$0.112', '$0.10', '$0')
    >>> money(Decimal("0.00000026")), money(Decimal("0.11201"), up=True), money(None)
    ('$0.00000026', '$0.113', 'not known')
    """
    if amount is None:
        return "not known"
    if not amount:
        return "$0"
    finest = Decimal("0.01") if amount >= 1 else Decimal(1).scaleb(amount.adjusted() - 2)
    rounded = amount.quantize(finest, rounding=ROUND_UP if up else ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:,f}".partition(".")
    return f"${whole}.{decimals.rstrip('0'):0<2}"


def _gigabyte_seconds(megabytes: int, milliseconds: float) -> Decimal:
    return Decimal(megabytes) / 1024 * Decimal(milliseconds) / 1000


def _hours(time: timedelta) -> Decimal:
    return Decimal(time // timedelta(milliseconds=1)) / 3_600_000
