"""deploy: from model.tar.gz to a public address, and in place from one version to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marfa.aws import (
    checking,
    inventory,
    launch,
    planning,
    policies,
    releases,
    stacks,
    statements,
    versions,
)
from marfa.aws.checking import Ask
from marfa.aws.client import Cloud
from marfa.aws.launch import Line
from marfa.aws.names import Names
from marfa.aws.planning import Plan
from marfa.aws.stacks import Stack
from marfa.aws.template import base
from marfa.aws.versions import Version
from marfa.console import Silence, Talk
from marfa.errors import CheckError, NetworkError
from marfa.settings import CloudSettings


def deploy(
    model: str | Path,
    settings: CloudSettings | None = None,
    talk: Talk | None = None,
    *,
    workdir: str = "work",
    how: str = "deploy",
    cloud: Cloud | None = None,
    ask: Ask = checking.ask,
) -> dict[str, Any]:
    """Put a model live on AWS, and prove that it answers as it was packaged.

    What has been made or sent before is neither made nor sent again, so the same command goes on after
    any interruption. A version that answers otherwise than recorded is taken back at once.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: target, sizes, limits, region.
        talk: whom to tell; nobody if not given.
        workdir: where wheels and the measured speed of the line are kept.
        how: "deploy"; "plan" for what that would make, send and cost; "policy" for the rights that it
            needs, and status, destroy and jobs under its name do.
        cloud: the account; made of the settings if not given.
        ask: asks an address something.

    Returns:
        The address, or the plan, or the policy.

    Raises:
        CheckError: if it answers otherwise than recorded; what was live before is live again.
        CredentialsError: if AWS does not know who asks.
        QuotaError: if the account's limits do not allow it.
        NetworkError: if the line fails; the same command goes on.
        CloudError: for any other refusal of AWS.
        BundleError: if the model is incomplete or altered.
    """
    talk, settings = talk or Silence(), settings or CloudSettings()
    cloud = cloud or Cloud(settings.region, settings.profile)
    draft = planning.draft(model, settings, cloud, Path(workdir), looking=how != "deploy")
    if how == "policy":
        if draft.is_nobodys:
            talk.warn(f"deploy: no credentials, so the account is written as {draft.names.account}")
        talk.say("deploy: these are the rights for every target, --site, and jobs on SageMaker")
        talk.say(f"deploy: {policies.WIDENS}")
        return statements.document(policies.deployer(draft.names))
    plan = planning.complete(draft, cloud, talk, sending=how == "deploy")
    if how == "plan":
        return plan.document()
    for line in plan.told():
        talk.say(line)
    plan.refuse_blocked()
    return _carry_out(plan, cloud, talk, ask)


def _carry_out(plan: Plan, cloud: Cloud, talk: Talk, ask: Ask) -> dict[str, Any]:
    names = plan.names
    made = stacks.apply(cloud, names, names.base, base.build(names), talk)
    bucket = made.outputs["Bucket"]
    line = Line(plan.workdir, plan.settings.max_kbps)
    sent = launch.send(cloud, bucket, plan.parcels, line, talk)
    before = _before(plan, cloud, talk)
    version = _record(plan, cloud, bucket, before)
    live = releases.release(cloud, names, version, plan.end(before, cloud.now()), talk)
    same = before is not None and before.outputs.get("Version") == version.version
    if not (same and versions.is_checked(cloud, bucket, version.version)):
        _check(plan, cloud, bucket, live, talk, ask)
        versions.mark_checked(cloud, bucket, version.version)
    return {
        "deployment": names.deployment,
        "region": names.region,
        "target": plan.settings.target,
        "url": live.outputs.get("Url", ""),
        "site": live.outputs.get("Site", ""),
        "model": version.model,
        "version": version.version,
        "replaced": version.previous,
        "lease_end": live.outputs.get("LeaseEnd", ""),
        "sent": {"bytes": sent.size, "seconds": round(sent.seconds, 1)},
        "price": plan.estimate.document(),
    }


def _before(plan: Plan, cloud: Cloud, talk: Talk) -> Stack | None:
    """Return what is live, if it is whole; a stack that has lost its endpoint is no good any more."""
    names = plan.names
    live = stacks.settle(cloud, names, names.live, talk)
    if live is None or live.status not in stacks.GOOD:
        return None
    was = live.outputs.get("Target", "")
    releases.refuse_turn(names, was, plan.settings.target)
    if was != "lambda" and not any(inventory.BILLERS.find(cloud, names)):
        talk.say("deploy: the endpoint is gone from its stack, so the stack is made anew")
        stacks.delete(cloud, names, names.live, talk)
        return None
    return live


def _record(plan: Plan, cloud: Cloud, bucket: str, before: Stack | None) -> Version:
    """Keep what is going to be live, and what it replaces, before it is."""
    template = plan.live(bucket)
    kept = versions.read(cloud, bucket, template.version)
    replaced = before.outputs.get("Version", "") if before else ""
    if replaced == template.version:  # the same again: it replaced what it replaced
        replaced = kept.previous if kept else ""
    version = Version(
        version=template.version,
        previous=replaced,
        model=template.model,
        target=plan.settings.target,
        made=kept.made if kept else cloud.now().isoformat(timespec="seconds"),
        template=template.build(),
    )
    if version != kept:
        versions.write(cloud, bucket, version)
    return version


def _check(plan: Plan, cloud: Cloud, bucket: str, live: Stack, talk: Talk, ask: Ask) -> None:
    """Ask the golden requests of the new version; take it back where it does not answer as it should."""
    url = live.outputs.get("Url", "")
    try:
        asked, wrong = checking.check(
            plan.bundle,
            url,
            talk,
            cloud.sleep,
            rounded=plan.may_be_rounded,
            rate=plan.settings.rate,
            ask=ask,
        )
    except NetworkError as error:
        # which says something of this line, and nothing of the new version
        message = (
            f"it is live at {url}, but could not be asked from here whether it answers rightly"
        )
        hint = "run the same command again, which asks it; marfa rollback puts the one before back"
        message = f"{message} ({error.what})"
        raise NetworkError(message, where=url, hint=hint) from error
    if not wrong:
        talk.say(f"deploy: all {asked} golden requests were answered as recorded")
        return
    found = f"request {wrong} of {asked} was answered otherwise than recorded"
    talk.warn(f"deploy: {found}")
    now, hint = _take_back(plan.names, cloud, bucket, live, talk)
    message = f"the new version does not answer as it was packaged ({found}); {now}"
    hint = hint or "package the model again, or choose another --image"
    raise CheckError(message, where=url, hint=hint)


def _take_back(names: Names, cloud: Cloud, bucket: str, live: Stack, talk: Talk) -> tuple[str, str]:
    """Return what is live now, and what has to be typed first, if anything."""
    earlier = releases.back(cloud, names, bucket, live, talk)
    if earlier is not None:
        return f"version {earlier.version} is live again", ""
    if reason := stacks.discard(cloud, names, names.live, talk):
        left = f"and it {stacks.LEFT.format(reason=reason)}"
        return f"nothing was live before it, {left}", f"marfa destroy {names.deployment}"
    return "nothing was live before it, and nothing is now", ""
