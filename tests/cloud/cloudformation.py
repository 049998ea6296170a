"""CloudFormation as AWS describes it, in the place of moto's own in moto's server.

Its answers, its states and its refusals are those of AWS's API reference and of what people have seen
of it. It is plugged in as a backend of moto's, so `/moto-api/reset` empties it with all the others.
"""

import threading
from types import SimpleNamespace

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.urls import url_bases
from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from tests.cloud import templates
from tests.cloud.conduct import CONDUCT, hands
from tests.cloud.emulated import check_attributes
from tests.cloud.stack import Stack
from tests.cloud.templates import Refused

GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_STOPPABLE = {"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
_PAGE = 25
_LOCK = threading.RLock()


class Backend(BaseBackend):
    """The stacks of one account and region."""

    def __init__(self, region_name, account_id):
        super().__init__(region_name, account_id)
        self.stacks = []

    @property
    def _url_module(self):
        return SimpleNamespace(url_bases=url_bases, url_paths={"{0}/$": Service.dispatch})

    def find(self, name, missing="Stack with id {} does not exist"):
        """Return a stack by its name, or by its ARN even if it is gone."""
        for stack in reversed(self.stacks):
            if stack.id == name or (stack.name == name and stack.status != "DELETE_COMPLETE"):
                return stack
        raise Refused(missing.format(name))

    def look(self, name, missing="Stack with id {} does not exist"):
        """Return a stack after it has gone on a little."""
        stack = self.find(name, missing)
        stack.advance(CONDUCT.pace or 0)
        return stack


def install():
    """Take the place of moto's CloudFormation, for this process."""
    cloudformation_backends.clear()
    cloudformation_backends.backend = Backend


def settle():
    """Bring everything that is under way to its end."""
    with _LOCK:
        for _, _, backend in list(cloudformation_backends.iter_backends()):
            for stack in backend.stacks:
                stack.advance(0)


class Service(BaseResponse):
    """The operations, as boto3 calls them."""

    def __init__(self):
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    def call_action(self):
        with _LOCK:
            return super().call_action()

    @property
    def _backend(self):
        return cloudformation_backends[self.current_account][self.region]

    def create_stack(self):
        name, body = self._get_param("StackName"), self._get_param("TemplateBody")
        if any(
            each.name == name and each.status != "DELETE_COMPLETE" for each in self._backend.stacks
        ):
            raise Refused("AlreadyExistsException", f"Stack [{name}] already exists")
        where = hands(self.current_account, self.region)
        template = self._checked(body)
        stack = Stack(
            name,
            f"arn:aws:cloudformation:{self.region}:{self.current_account}:stack/{name}/{CONDUCT.suffix()}",
            where,
            CONDUCT,
            template,
            body,
            templates.filled(template, self._get_param("Parameters", [])),
            {each["Key"]: each["Value"] for each in self._get_param("Tags", [])},
            self._role(where, ""),
        )
        self._backend.stacks.append(stack)
        stack.create()
        return self._begun(stack)

    def update_stack(self):
        stack = self._backend.look(self._get_param("StackName"), "Stack [{}] does not exist")
        if stack.status not in GOOD:
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        previous = self._get_param("UsePreviousTemplate")
        body = stack.body if previous else self._get_param("TemplateBody")
        template = self._checked(body)
        parameters = templates.filled(template, self._get_param("Parameters", []), stack.parameters)
        tags = {each["Key"]: each["Value"] for each in self._get_param("Tags", [])} or stack.tags
        role = self._role(stack.where, stack.role)
        unchanged = templates.same((template, parameters), (stack.template, stack.parameters))
        if unchanged and tags == stack.tags and not templates.is_dynamic(template):
            raise Refused("No updates are to be performed.")
        stack.role = role
        stack.update(template, body, parameters, tags)
        return self._begun(stack)

    def continue_update_rollback(self):
        stack = self._backend.look(self._get_param("StackName"), "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise Refused(
                f"Stack:{stack.id} is in {stack.status} state and can not continue its rollback."
            )
        stack.resume()
        self._begun(stack)
        return EmptyResult()

    def delete_stack(self):
        try:
            stack = self._backend.look(self._get_param("StackName"))
        except Refused:
            return EmptyResult()
        if stack.status in {"DELETE_COMPLETE", "DELETE_IN_PROGRESS"}:
            return EmptyResult()
        if stack.is_busy and stack.status not in _STOPPABLE:
            raise Refused(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        stack.role = self._role(stack.where, stack.role)
        for name in self._get_param("RetainResources", []):
            del stack.resources[name]
        stack.delete()
        self._begun(stack)
        return EmptyResult()

    def describe_stacks(self):
        name = self._get_param("StackName")
        if name:
            return ActionResult({"Stacks": [_described(self._backend.look(name))]})
        return self._page("Stacks", [_described(each) for each in self._looked(deleted=False)])

    def list_stacks(self):
        wanted = self._get_param("StackStatusFilter", [])
        found = [
            {key: each for key, each in _described(stack).items() if key in _SUMMARY}
            for stack in self._looked(deleted=True)
            if not wanted or stack.status in wanted
        ]
        return self._page("StackSummaries", found)

    def describe_stack_events(self):
        stack = self._backend.look(self._get_param("StackName"), "Stack [{}] does not exist")
        return self._page("StackEvents", stack.events[::-1])

    def describe_stack_resources(self):
        stack = self._backend.look(self._get_param("StackName"))
        return ActionResult({"StackResources": [_resource(stack, each) for each in _all(stack)]})

    def list_stack_resources(self):
        stack = self._backend.look(self._get_param("StackName"))
        found = [_resource(stack, each) for each in _all(stack)]
        for each in found:
            each["LastUpdatedTimestamp"] = each.pop("Timestamp")
        return self._page("StackResourceSummaries", found)

    def get_template(self):
        stack = self._backend.look(self._get_param("StackName"))
        return ActionResult({"TemplateBody": stack.body, "StagesAvailable": ["Original"]})

    def validate_template(self):
        template = self._read(self._get_param("TemplateBody"))
        declared = template.get("Parameters", {})
        found = [{"ParameterKey": name, "NoEcho": False} for name in declared]
        return ActionResult({"Parameters": found, "Description": template.get("Description", "")})

    def _begun(self, stack):
        if not CONDUCT.pace:
            stack.advance(0)
        return ActionResult({"StackId": stack.id})

    def _looked(self, *, deleted):
        for stack in self._backend.stacks:
            stack.advance(CONDUCT.pace)
        return [
            each
            for each in reversed(self._backend.stacks)
            if deleted or each.status != "DELETE_COMPLETE"
        ]

    def _page(self, word, found):
        start = int(self._get_param("NextToken") or 0)
        more = {"NextToken": str(start + _PAGE)} if len(found) > start + _PAGE else {}
        return ActionResult({word: found[start : start + _PAGE], **more})

    def _read(self, body):
        if not body:
            raise Refused("Either Template URL or Template Body must be specified.")
        return templates.read(body)

    def _checked(self, body):
        template = self._read(body)
        check_attributes(template)
        given = set(self._get_param("Capabilities", []))
        kinds = {
            each["Type"]: each.get("Properties", {}) for each in template["Resources"].values()
        }
        named = any(
            "RoleName" in each.get("Properties", {}) for each in template["Resources"].values()
        )
        needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
        if "AWS::IAM::Role" in kinds and not given & {needed, "CAPABILITY_NAMED_IAM"}:
            words = f"Requires capabilities : [{needed}]"
            raise Refused("InsufficientCapabilitiesException", words)
        return template

    def _role(self, where, before):
        role = self._get_param("RoleARN") or before
        if role:
            where.check_role(role)
        return role


_SUMMARY = {
    *("StackId", "StackName", "TemplateDescription", "CreationTime", "LastUpdatedTime"),
    *("DeletionTime", "StackStatus", "StackStatusReason"),
}


def _described(stack):
    declared = stack.template.get("Outputs", {})
    optional = {
        "Description": stack.template.get("Description"),
        "StackStatusReason": stack.reason,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RoleARN": stack.role,
        "Outputs": [
            {
                "OutputKey": name,
                "OutputValue": str(value),
                "Description": declared.get(name, {}).get("Description"),
            }
            for name, value in stack.outputs.items()
        ],
    }
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "DisableRollback": False,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in stack.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        **{key: value for key, value in optional.items() if value},
    }


def _all(stack):
    return [*stack.resources.values(), *stack.gone]


def _resource(stack, resource):
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.name,
        "PhysicalResourceId": resource.physical or None,
        "ResourceType": resource.kind,
        "Timestamp": resource.since,
        "ResourceStatus": resource.status,
        **({"ResourceStatusReason": resource.reason} if resource.reason else {}),
    }
