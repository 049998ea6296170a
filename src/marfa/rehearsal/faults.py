"""What can be made to go wrong in a rehearsal, to see what is said and done about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from marfa.errors import SettingsError
from marfa.rehearsal.machine import Trouble
from marfa.settings.declare import nearest

FAULTS = ("quota", "stuck", "throttle", "cut")

_STUCK_SECONDS = 6.0
"""After which a container that says nothing is given up here; SageMaker waits for minutes."""

_LAMBDA = "Code storage limit exceeded. (Service: Lambda, Status Code: 400)"
_SERVERLESS = (
    "The account-level service limit 'Number of serverless endpoints' is 0 Endpoints, with current "
    "utilization of 0 Endpoints and a request delta of 1 Endpoints. Please use AWS Service Quotas "
    "to request an increase for this quota."
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is to go wrong.

    Attributes:
        instances: machines that the account's quota allows.
        machine: what AWS refuses to make, or never gets ready.
        throttled: more is asked at once than is allowed.
        cut: the line is cut while things are sent.
    """

    instances: int = 2
    machine: Trouble = field(default_factory=Trouble)
    throttled: bool = False
    cut: bool = False


def of(name: str, target: str) -> Fault:
    """Return what a fault's name means for a target.

    Args:
        name: one of `FAULTS`, or empty for none.
        target: "lambda", "serverless" or "endpoint".

    Raises:
        SettingsError: if there is no such fault, or this target cannot have it.

    >>> of("quota", "endpoint").instances, of("cut", "lambda").cut
    (0, True)
    """
    match name, target:
        case "", _:
            return Fault()
        case "quota", "endpoint":
            return Fault(instances=0)
        case "quota", "serverless":
            return Fault(machine=Trouble(refused={"Endpoint": _SERVERLESS}))
        case "quota", _:
            return Fault(machine=Trouble(refused={"Function": _LAMBDA}))
        case "stuck", "lambda":
            message = "a function has no container that could fail to get ready"
            raise SettingsError(message, where="fault", hint="--target endpoint, or serverless")
        case "stuck", _:
            return Fault(machine=Trouble(stuck_seconds=_STUCK_SECONDS))
        case "throttle", _:
            return Fault(throttled=True)
        case "cut", _:
            return Fault(cut=True)
    message = f"{name!r:.40} is no fault"
    raise SettingsError(message, where="fault", hint=nearest(name, FAULTS))
