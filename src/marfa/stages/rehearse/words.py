"""What a rehearsal says: facts of a plan and of what is at work, as short lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from marfa.aws import lease, price
from marfa.aws.planning import Plan
from marfa.aws.template.base import SITE
from marfa.container.messages import Request, Response
from marfa.rehearsal.account import CODE
from marfa.rehearsal.machine import Machine, Trouble

_SHOWN = 70


def looked(plan: Plan) -> list[str]:
    """Say what was looked at."""
    model, golden = plan.draft.model, plan.bundle.contents["golden.jsonl"].count(b"\n")
    found = [
        f"{model.name}, a {model.task}: whole, its hashes right, {golden} golden requests in it"
    ]
    return [*found, *(f"{each.what}: {each.found}" for each in plan.checks.findings)]


def parcels(plan: Plan) -> Iterator[str]:
    """Say what is sent."""
    said = {
        "code": "code.zip, the function",
        "layers": "numpy.zip, its layer (zeros of that size here; numpy of this machine stands in)",
        "models": "model.tar.gz, for the container",
    }
    for parcel in plan.parcels:
        kind = parcel.key.partition("/")[0]
        if kind in said:
            yield f"{parcel.size:>12,} bytes  {said[kind]}"
    page = [parcel.size for parcel in plan.parcels if parcel.key.startswith(SITE)]
    if page:
        yield f"{sum(page):>12,} bytes  the page, {len(page)} files for CloudFront"


def started(machine: Machine) -> dict[str, Any]:
    """Return what was measured while it started."""
    return {"container_seconds": round(machine.container.started, 2)} if machine.container else {}


def at_work(machine: Machine, plan: Plan) -> list[str]:
    """Say what is at work on this machine."""
    found = [f"{machine.url} in the place of API Gateway"]
    if machine.container:
        found.insert(0, f"{machine.runtime_url} speaks SageMaker's runtime API, before")
        found.insert(
            1,
            f"marfa serve as its container, ready after {machine.container.started:.1f} s, "
            "the model in an /opt/ml/model",
        )
    found.append("the function's zip, unpacked; its process starts with the first request")
    if plan.settings.site:
        found.append("no CloudFront here: the page comes through the API, as without --site")
    if machine.lease_end:
        left = lease.left(plan.now, machine.lease_end)
        found.append(f"the lease: all of it ends at {lease.stamp(machine.lease_end)}, in {left}")
    return found


def minutes(plan: Plan) -> list[str]:
    """Say how long AWS takes."""
    took = {
        "lambda": "in about a minute",
        "serverless": "in 3 to 6 minutes, most of them the endpoint's",
        "endpoint": "in 4 to 8 minutes, most of them the endpoint's: a machine is started",
    }[plan.settings.target]
    found = [f"CloudFormation makes the stack {took}"]
    if plan.settings.target == "endpoint":
        found.append("the lease comes before the endpoint: one without it cannot exist")
    return found


def asking_for_more() -> list[str]:
    """Say what a request for a higher quota takes."""
    return [
        "a request for more takes hours to days",
        f"{CODE} stands here for the code of that quota, which deploy names",
    ]


def stuck(trouble: Trouble) -> list[str]:
    """Say why a container is not ready here."""
    if not trouble.stuck_seconds:
        return []
    return ["the container listens at another port; a bad image or model looks the same"]


def rolled_back(trouble: Trouble, plan: Plan) -> list[str]:
    """Say what AWS does where it cannot make something."""
    found = [
        "CloudFormation deletes what it had made, and keeps the reason in the stack's events",
        "marfa deletes the stack that is left, so that the same command can go on",
        "the base stack stays, with what was sent; "
        f"marfa destroy {plan.names.deployment} deletes it",
    ]
    if trouble.stuck_seconds:
        found.insert(0, "the endpoint stays Creating for all the minutes that /ping may take")
    return found


def exchange(question: Request, answer: Response) -> list[str]:
    """Say what was asked and answered, cut short; both are the model's own golden texts."""
    asked = f"{question.method} {question.path}, {question.content_type}"
    return [
        f"{asked}: {short(question.body)}",
        f"{answer.status}, {answer.content_type}: {short(answer.body)}",
    ]


def short(body: bytes) -> str:
    """Return a body in one line, cut short."""
    text = " ".join(body.decode("utf-8", "replace").split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def way(target: str) -> list[str]:
    """Say which way a request goes."""
    if target == "lambda":
        return ["browser -> API Gateway -> Lambda, which holds the model"]
    return ["browser -> API Gateway -> Lambda -> SageMaker's runtime API -> container"]


def each(plan: Plan) -> str:
    """Say what one request costs."""
    return f"about {price.money(plan.estimate.thousand / 1000)}"


def ways_in(machine: Machine, plan: Plan, end: datetime | None) -> list[str]:
    """Say how it can be used while it is up."""
    generator = plan.draft.model.task == "generator"
    ask = f"marfa predict --against {machine.url} 'A film I would gladly see again.'"
    if generator:
        ask = f"marfa generate --against {machine.url} --prompt 'My lord, '"
    found = [f"the page:  {machine.url}", "the shell:", f"  {ask}"]
    if machine.runtime_url:
        body = "100-you are " if generator else "A film I would gladly see again."
        found += [
            "AWS's own tools, in another shell:",
            f"  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={machine.runtime_url}",
            "  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any "
            f"AWS_DEFAULT_REGION={plan.names.region}",
            f"  printf '%s' '{body}' | aws sagemaker-runtime invoke-endpoint "
            f"--endpoint-name {plan.names.one} --content-type text/plain "
            "--accept application/json --body fileb:///dev/stdin /dev/stdout",
        ]
    until = f"until {lease.stamp(end)}, or Ctrl-C" if end else "until Ctrl-C"
    return [*found, until]


def ending(plan: Plan) -> list[str]:
    """Say how it ends on AWS."""
    destroy = f"marfa destroy {plan.names.deployment}"
    found = [f"{destroy} deletes both stacks, what bills first, and looks for all that is tagged"]
    if plan.leased:
        found.insert(
            0,
            "once the lease has ended, the schedule asks CloudFormation to delete the live stack, "
            "every 5 minutes until it is gone",
        )
        found.append("the lease leaves the base stack: a bucket and roles, which cost next to $0")
    return found


def afterwards(plan: Plan) -> str:
    """Say what it costs from then on: a lease leaves the bucket."""
    if plan.leased:
        return "next to $0 from here on, and $0 after marfa destroy"
    return "$0 from here on"
