"""One stack's life, resource by resource, in an order that CloudFormation could have chosen.

Every operation is a generator: each step begins or ends the work on one resource, and whoever looks at
the stack lets it go on by some steps. So a test sees the states that a person sees, and a laptop that
goes dark leaves behind what it would leave behind.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.cloud import templates
from tests.cloud.conduct import FailedError
from tests.cloud.emulated import TYPES, check_properties, is_replaced, make_name
from tests.cloud.templates import Refused

STACK = "AWS::CloudFormation::Stack"


@dataclass
class Resource:
    """What one logical name of a stack stands for.

    Attributes:
        physical: what AWS calls it; empty while it does not exist, and for types that are skipped.
        properties: with all values filled in.
        attributes: what Fn::GetAtt finds.
        needs: logical names of what must outlive it.
    """

    name: str
    kind: str
    physical: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)
    policy: str = "Delete"
    status: str = ""
    reason: str = ""
    since: Any = None


@dataclass
class Stack:
    """A stack.

    Attributes:
        where: the account and region: makes and deletes things there.
        conduct: pace, order and failures.
        work: what is under way, to be gone on with step by step.
        undo: what an update has changed so far, the last change last: a name, and what it was before.
        surplus: what is to be deleted once an update, or the way back from it, has succeeded.
    """

    name: str
    id: str
    where: Any
    conduct: Any
    template: dict[str, Any]
    body: str
    parameters: dict[str, str]
    tags: dict[str, str]
    role: str = ""
    status: str = ""
    reason: str = ""
    created: Any = None
    updated: Any = None
    deleted: Any = None
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    gone: list[Resource] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    work: Any = None
    undo: list[Any] = field(default_factory=list)
    surplus: list[Resource] = field(default_factory=list)

    @property
    def is_busy(self):
        return self.status.endswith("_IN_PROGRESS")

    def advance(self, steps):
        """Go on with what is under way; 0 steps are all of them."""
        taken = 0
        while self.work is not None and (not steps or taken < steps):
            try:
                next(self.work)
            except StopIteration:
                self.work = None
            taken += 1

    def become(self, status, reason=""):
        self.status, self.reason = status, reason
        self._note(self.name, STACK, self.id, status, reason)

    def create(self):
        self.created = self.conduct.now()
        self.become("CREATE_IN_PROGRESS", "User Initiated")
        self.work = self._create()

    def update(self, template, body, parameters, tags):
        self.updated = self.conduct.now()
        self.become("UPDATE_IN_PROGRESS", "User Initiated")
        self.work = self._update(template, body, parameters, tags)

    def resume(self):
        """Go on with taking back an update."""
        self.become("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        self.work = self._take_back()

    def delete(self):
        self.deleted = self.conduct.now()
        self.become("DELETE_IN_PROGRESS", "User Initiated")
        self.work = self._delete("DELETE_COMPLETE", "DELETE_FAILED")

    def _create(self):
        try:
            for name in templates.order(self.template["Resources"], self.conduct.choose):
                yield from self._make(name)
        except FailedError as error:
            self.become("ROLLBACK_IN_PROGRESS", f"{error} Rollback requested by user.")
            yield from self._delete("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
            return
        self._tell()
        self.become("CREATE_COMPLETE")

    def _update(self, template, body, parameters, tags):
        before = (self.template, self.body, self.parameters, self.tags)
        self.template, self.body, self.parameters, self.tags = template, body, parameters, tags
        self.undo, self.surplus = [], []
        try:
            for name in templates.order(template["Resources"], self.conduct.choose):
                if name not in self.resources:
                    self.undo.append((name, None))
                    yield from self._make(name)
                else:
                    yield from self._change(name)
        except FailedError as error:
            self.template, self.body, self.parameters, self.tags = before
            self.become("UPDATE_ROLLBACK_IN_PROGRESS", str(error))
            self.surplus = []
            yield from self._take_back()
            return
        self._tell()
        self.become("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        removed = [name for name in self.resources if name not in template["Resources"]]
        self.surplus += [self.resources.pop(name) for name in removed]
        yield from self._clean_up()
        self.become("UPDATE_COMPLETE")

    def _take_back(self):
        while self.undo:
            name, old = self.undo[-1]
            present = self.resources[name]
            if old is None:
                self.surplus.append(self.resources.pop(name))
            elif old.physical != present.physical:
                self.surplus.append(present)
                self.resources[name] = old
            else:
                try:
                    yield from self._put(present, old.properties)
                except FailedError as error:
                    self.become("UPDATE_ROLLBACK_FAILED", str(error))
                    return
            self.undo.pop()
        self._tell()
        self.become("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        yield from self._clean_up()
        self.become("UPDATE_ROLLBACK_COMPLETE")

    def _clean_up(self):
        """Delete what is not needed any more; what cannot be deleted is left behind, as by AWS."""
        left, self.surplus = [each for each in self.surplus if each.physical], []
        while left:
            needed = set().union(*(each.needs for each in left))
            resource = next(each for each in left if each.name not in needed)
            left.remove(resource)
            self.gone.append(resource)
            try:
                yield from self._unmake(resource)
            except FailedError:
                continue

    def _delete(self, good, bad):
        """Delete everything, nothing before what needs it; a failure spares only what it needs."""
        failed = []
        while True:
            left = {name: each for name, each in self.resources.items() if name not in failed}
            needed = set().union(*(each.needs for each in self.resources.values()))
            ready = sorted(name for name in left if name not in needed)
            if not ready:
                break
            resource = self.resources[self.conduct.choose(ready)]
            try:
                yield from self._unmake(resource)
            except FailedError:
                failed.append(resource.name)
            else:
                self.gone.append(self.resources.pop(resource.name))
        if failed:
            self.become(bad, f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
        else:
            self.outputs = {}
            self.become(good)

    def _make(self, name):
        definition = self.template["Resources"][name]
        resource = Resource(
            name,
            definition["Type"],
            needs=templates.needs(definition, self.template["Resources"]),
            policy=definition.get("DeletionPolicy", "Delete"),
        )
        self.resources[name] = resource
        yield from self._act(resource, "CREATE", lambda: self._create_in(resource, definition))

    def _create_in(self, resource, definition):
        resource.properties = self._resolve(definition.get("Properties", {}))
        if resource.kind not in TYPES:
            return  # seen by `skipped`, and counted by nobody
        check_properties(resource.kind, resource.properties)
        kind, name = TYPES[resource.kind], make_name(resource, self.name, self.conduct)
        resource.physical, resource.attributes = kind.create(self.where, name, resource.properties)
        kind.finish(self.where, resource, {})  # the second step: if it fails, the first is undone

    def _change(self, name):
        old, definition = self.resources[name], self.template["Resources"][name]
        properties = self._resolve(definition.get("Properties", {}))
        old.needs = templates.needs(definition, self.template["Resources"])
        old.policy = definition.get("DeletionPolicy", "Delete")
        if (properties, definition["Type"]) == (old.properties, old.kind) or not old.physical:
            return
        self.undo.append((name, replace(old)))
        if definition["Type"] == old.kind and not is_replaced(old.kind, old.properties, properties):
            yield from self._put(old, properties)
            return
        word = TYPES[old.kind].name
        if word and word in properties and properties[word] == old.properties.get(word):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires "
                f"replacing. Rename {properties[word]} and update the stack again."
            )
            self.undo.pop()
            self._mark(old, "UPDATE_FAILED", reason)
            raise FailedError(f"The following resource(s) failed to update: [{name}]. ")
        kept = self.undo[-1][1]
        try:
            yield from self._make(name)
        except FailedError:
            if not self.resources[name].physical:  # nothing new to delete
                self.resources[name] = kept
                self.undo.pop()
            raise
        self.surplus.append(kept)

    def _put(self, resource, properties):
        def change():
            check_properties(resource.kind, properties)
            made = TYPES[resource.kind].update(self.where, resource, properties)
            resource.properties = properties
            resource.attributes |= made or {}

        yield from self._act(resource, "UPDATE", change)

    def _unmake(self, resource):
        if resource.policy == "Retain":
            self._mark(resource, "DELETE_SKIPPED")
            return

        def delete():
            if resource.physical:
                TYPES[resource.kind].delete(self.where, resource)

        yield from self._act(resource, "DELETE", delete)

    def _act(self, resource, verb, action):
        self._mark(resource, f"{verb}_IN_PROGRESS")
        yield
        try:
            self.conduct.perhaps_fail(resource.kind, verb)
            action()
        except (ClientError, BotoCoreError, Refused, FailedError) as error:
            self._mark(resource, f"{verb}_FAILED", _words(error))
            failed = f"The following resource(s) failed to {verb.lower()}: [{resource.name}]. "
            raise FailedError(failed) from None
        self._mark(resource, f"{verb}_COMPLETE")
        yield

    def _resolve(self, value):
        return templates.resolve(value, self._look, self.where.parameter)

    def _look(self, name, attribute):
        if name in self.parameters:
            return self.parameters[name]
        if name.startswith("AWS::"):
            return {
                "AWS::AccountId": self.where.account,
                "AWS::NoValue": None,
                "AWS::Partition": "aws",
                "AWS::Region": self.where.region,
                "AWS::StackId": self.id,
                "AWS::StackName": self.name,
                "AWS::URLSuffix": "amazonaws.com",
            }[name]
        resource = self.resources[name]
        if resource.kind not in TYPES:
            return f"skipped-{name}"
        if not attribute:
            return TYPES[resource.kind].ref(resource)
        if attribute not in resource.attributes:
            short = resource.kind.rpartition("::")[2]
            raise Refused(
                f"Template error: resource {short} does not support attribute type {attribute} "
                "in Fn::GetAtt"
            )
        return resource.attributes[attribute]

    def _tell(self):
        self.outputs = {
            name: self._resolve(each["Value"])
            for name, each in self.template.get("Outputs", {}).items()
        }

    def _mark(self, resource, status, reason=""):
        resource.status, resource.reason, resource.since = status, reason, self.conduct.now()
        self._note(resource.name, resource.kind, resource.physical, status, reason)

    def _note(self, name, kind, physical, status, reason):
        self.events.append(
            {
                "StackId": self.id,
                "StackName": self.name,
                "EventId": f"{name}-{status}-{len(self.events)}",
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": kind,
                "Timestamp": self.conduct.now(),
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
            }
        )


def _words(error):
    if isinstance(error, ClientError):
        found = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{found['Message']} (Status Code: {status}; Error Code: {found['Code']})"
    return getattr(error, "message", "") or str(error)
