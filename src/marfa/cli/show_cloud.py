"""Printing what is in the cloud: as lines for people, as one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from marfa.cli.show import document, plain, stdout, table


def deploy(result: Mapping[str, Any], how: str, as_json: bool) -> None:
    """Print the address, the plan, or the policy."""
    if how == "policy":  # a policy is JSON, and nothing but a policy may stand around it
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    elif as_json:
        document("deploy", {"how": how, **result})
    elif how == "plan":
        _plan(result)
    else:
        _deployed(result)


def _plan(plan: Mapping[str, Any]) -> None:
    out = stdout()
    account = f"account {plan['account']}" if plan["account"] else "of an account yet unknown"
    where = f"{plan['region']}, {account}"
    out.print(plain(f"{plan['deployment']}: target {plan['target']} in {where}"))
    out.print(plain("Nothing has been made or sent.\n"))
    out.print(plain("would exist"))
    for stack in dict.fromkeys(each["stack"] for each in plan["resources"]):
        kinds = Counter(each["type"] for each in plan["resources"] if each["stack"] == stack)
        listed = ", ".join(
            f"{count} {kind.removeprefix('AWS::')}" if count > 1 else kind.removeprefix("AWS::")
            for kind, count in kinds.items()
        )
        out.print(plain(f"  {stack}: {listed}"))
    out.print(plain("\nwould be sent"))
    rows = table("", "bytes", "")
    for parcel in plan["parcels"]:
        rows.add_row(
            plain(f"  {parcel['key'][:60]}"),
            f"{parcel['bytes']:,}",
            "there already" if parcel["there"] else "",
        )
    out.print(rows)
    out.print(plain(""))
    for line in plan["told"]:
        out.print(plain(line))


def _deployed(result: Mapping[str, Any]) -> None:
    out = stdout()
    out.print(plain(result["url"]))
    if result["site"]:
        out.print(plain(f"{result['site']} (the page on CloudFront)"))
    replaced = f", in place of {result['replaced']}" if result["replaced"] else ""
    out.print(
        plain(f"version {result['version']}, model {result['model']}{replaced}, {result['region']}")
    )
    if result["lease_end"]:
        out.print(
            plain(
                f"until {result['lease_end']}, then it is deleted; "
                f"longer: marfa renew {result['deployment']} --lease 2h"
            )
        )
    out.print(plain(f"all of it away: marfa destroy {result['deployment']}"))


def status(result: Mapping[str, Any], as_json: bool) -> None:
    """Print one paragraph a deployment."""
    if as_json:
        return document("status", result)
    out = stdout()
    if not result["deployments"]:
        out.print(plain(f"nothing of marfa's is in {result['region']}"))
        return None
    for one in result["deployments"]:
        out.print(plain(f"{one['deployment']}  {one['state']}  {one['url'] or '-'}"))
        for line in one["told"]:
            out.print(plain(f"  {line}"))
    return None


def renew(result: Mapping[str, Any], as_json: bool) -> None:
    """Print when the lease ends."""
    if as_json:
        return document("renew", result)
    ends = f"{result['lease_end']}, in {result['left']}"
    stdout().print(plain(f"{result['deployment']}: the lease ends {ends}"))
    return None


def rollback(result: Mapping[str, Any], as_json: bool) -> None:
    """Print which version is live."""
    if as_json:
        return document("rollback", result)
    stdout().print(
        plain(
            f"{result['deployment']}: version {result['version']} (model {result['model']}) of "
            f"{result['made']} is live again, in place of {result['replaced']}"
        )
    )
    return None


def destroy(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what was deleted, and that nothing is left."""
    if as_json:
        return document("destroy", result)
    out = stdout()
    for kind, count in Counter(each["kind"] for each in result["deleted"]).items():
        out.print(plain(f"deleted: {count} {kind}{'s' if count > 1 else ''}"))
    if not result["deleted"]:
        where = f"{result['region']}; --region looks elsewhere"
        out.print(plain(f"nothing named {result['deployment']} was in {where}"))
    out.print(plain("0 left"))
    return None


def trained(result: Mapping[str, Any], as_json: bool) -> None:
    """Print where the model is that a job has made, what that took and what it costs."""
    if as_json:
        return document("train", result)
    out = stdout()
    out.print(plain(result["file"]))
    out.print(plain(f"model {result['model']}, {result['bytes']:,} bytes, of {result['job']}"))
    if "billed_seconds" in result:
        machines = f"{result['machines']} {result['machine']}"
        saved = f", {result['saved']:.0%} saved" if result["saved"] else ""
        out.print(
            plain(
                f"{machines}: {result['seconds']:.0f} s, {result['billed_seconds']:.0f} s of them "
                f"billed{saved}: {result['cost_words']}"
            )
        )
    out.print(plain(f"try it: marfa serve {result['file']}"))
    return None


def scored(result: Mapping[str, Any]) -> None:
    """Print what a job that has judged rows took, and what it costs."""
    spent = f"{result['machine']} for {result['seconds']} s: {result['cost_words']}"
    stdout().print(plain(f"{result['job']}: {spent}"))
