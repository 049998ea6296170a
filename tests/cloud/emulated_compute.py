"""Lambda, log groups, schedules and SageMaker, as CloudFormation makes them."""

from datetime import datetime, timedelta

from tests.cloud.resource_types import Type, as_mapping, gone_is_good, kind, made, some, tags_taken
from tests.cloud.templates import Refused

_CONFIGURED = (
    *("Description", "Role", "Handler", "Runtime", "Timeout", "MemorySize", "Environment"),
    *("EphemeralStorage", "TracingConfig", "LoggingConfig"),
)
_MADE = ("Code", "Architectures", "PackageType")


@kind("AWS::Logs::LogGroup")
class LogGroup(Type):
    name, takes = "LogGroupName", ("RetentionInDays", "Tags")

    def create(self, where, name, properties):
        tags = as_mapping(properties.get("Tags", []))
        where.call("logs", "create_log_group", logGroupName=name, tags=tags)
        return name, {"Arn": f"{_log_arn(where, name)}:*"}

    def finish(self, where, resource, before):
        group, days = resource.physical, resource.properties.get("RetentionInDays")
        if days:
            where.call(
                "logs", "put_retention_policy", logGroupName=group, retentionInDays=int(days)
            )
        elif before.get("RetentionInDays"):
            where.call("logs", "delete_retention_policy", logGroupName=group)

    def update(self, where, resource, properties):
        before, resource.properties = resource.properties, properties
        self.finish(where, resource, before)
        arn, old, new = (
            _log_arn(where, resource.physical),
            before.get("Tags", []),
            properties.get("Tags", []),
        )
        if tags_taken(old, new):
            where.call("logs", "untag_resource", resourceArn=arn, tagKeys=tags_taken(old, new))
        if new:
            where.call("logs", "tag_resource", resourceArn=arn, tags=as_mapping(new))

    def delete(self, where, resource):
        gone_is_good(where.call, "logs", "delete_log_group", logGroupName=resource.physical)


def _log_arn(where, group):
    return f"arn:aws:logs:{where.region}:{where.account}:log-group:{group}"


@kind("AWS::Lambda::Function")
class Function(Type):
    name = "FunctionName"
    takes = (*_CONFIGURED, *_MADE, "Layers", "ReservedConcurrentExecutions", "Tags")

    def create(self, where, name, properties):
        answer = where.call(
            "lambda",
            "create_function",
            FunctionName=name,
            **some(properties, *_CONFIGURED, *_MADE),
            **_layers(where, properties),
            Tags=as_mapping(properties.get("Tags", [])),
        )
        return name, {"Arn": answer["FunctionArn"]}

    def finish(self, where, resource, before):
        reserved = resource.properties.get("ReservedConcurrentExecutions")
        named = {"FunctionName": resource.physical}
        if reserved is not None:
            where.call(
                "lambda",
                "put_function_concurrency",
                ReservedConcurrentExecutions=int(reserved),
                **named,
            )
        elif before.get("ReservedConcurrentExecutions") is not None:
            where.call("lambda", "delete_function_concurrency", **named)

    def update(self, where, resource, properties):
        before, resource.properties = resource.properties, properties
        named, arn = {"FunctionName": resource.physical}, resource.attributes["Arn"]
        code = {**properties["Code"], **some(properties, "Architectures")}
        where.call("lambda", "update_function_code", **named, **code)
        emptied = {"Description": "", "Environment": {"Variables": {}}}
        configured = {
            **{key: empty for key, empty in emptied.items() if key in before},
            **some(properties, *_CONFIGURED),
        }
        layers = _layers(where, properties) or ({"Layers": []} if "Layers" in before else {})
        where.call("lambda", "update_function_configuration", **named, **configured, **layers)
        self.finish(where, resource, before)
        old, new = before.get("Tags", []), properties.get("Tags", [])
        if tags_taken(old, new):
            where.call("lambda", "untag_resource", Resource=arn, TagKeys=tags_taken(old, new))
        if new:
            where.call("lambda", "tag_resource", Resource=arn, Tags=as_mapping(new))

    def delete(self, where, resource):
        gone_is_good(where.call, "lambda", "delete_function", FunctionName=resource.physical)


def _layers(where, properties):
    """Return a function's own layers: moto has none of other accounts, so it cannot attach them."""
    own = [arn for arn in properties.get("Layers", []) if arn.split(":")[4] == where.account]
    return {"Layers": own} if own else {}


@kind("AWS::Lambda::LayerVersion")
class LayerVersion(Type):
    def create(self, where, name, properties):
        answer = where.call("lambda", "publish_layer_version", **{"LayerName": name, **properties})
        arn = answer["LayerVersionArn"]
        return arn, {"LayerVersionArn": arn}

    def delete(self, where, resource):
        layer, version = resource.physical.split(":")[-2:]
        named = {"LayerName": layer, "VersionNumber": int(version)}
        gone_is_good(where.call, "lambda", "delete_layer_version", **named)


@kind("AWS::Lambda::Permission")
class Permission(Type):
    def create(self, where, name, properties):
        where.call("lambda", "add_permission", StatementId=name, **properties)
        return name, {"Id": name}

    def delete(self, where, resource):
        named = {"FunctionName": resource.properties["FunctionName"]}
        gone_is_good(
            where.call, "lambda", "remove_permission", StatementId=resource.physical, **named
        )


@kind("AWS::Scheduler::Schedule")
class Schedule(Type):
    name = "Name"

    def create(self, where, name, properties):
        _check_start(where, properties)
        answer = where.call("scheduler", "create_schedule", **{"Name": name, **properties})
        return name, {"Arn": answer["ScheduleArn"]}

    def update(self, where, resource, properties):
        _check_start(where, properties)
        where.call("scheduler", "update_schedule", **{"Name": resource.physical, **properties})

    def delete(self, where, resource):
        named = {"Name": resource.physical, **some(resource.properties, "GroupName")}
        gone_is_good(where.call, "scheduler", "delete_schedule", **named)


def _check_start(where, properties):
    """Refuse what EventBridge refuses, and moto only where the expression is a cron one."""
    begins = properties.get("StartDate")
    if begins and datetime.fromisoformat(begins) < where.now() - timedelta(minutes=5):
        raise Refused("The StartDate you specify cannot be earlier than 5 minutes ago.")


class _Tagged(Type):
    """A SageMaker resource, of which only the tags can change, or which changes by a call of its own."""

    def retag(self, where, resource, properties):
        old, new = resource.properties.get("Tags", []), properties.get("Tags", [])
        arn = resource.physical
        if tags_taken(old, new):
            where.call("sagemaker", "delete_tags", ResourceArn=arn, TagKeys=tags_taken(old, new))
        if new:
            where.call("sagemaker", "add_tags", ResourceArn=arn, Tags=new)

    update = retag


@kind("AWS::SageMaker::Model")
class Model(_Tagged):
    name = "ModelName"

    def create(self, where, name, properties):
        answer = where.call("sagemaker", "create_model", **{"ModelName": name, **properties})
        return answer["ModelArn"], {"ModelName": name, **made(answer, "ModelArn")}

    def delete(self, where, resource):
        named = some(resource.attributes, "ModelName")
        gone_is_good(where.call, "sagemaker", "delete_model", **named)


@kind("AWS::SageMaker::EndpointConfig")
class EndpointConfig(_Tagged):
    name = "EndpointConfigName"

    def create(self, where, name, properties):
        wanted = {"EndpointConfigName": name, **properties}
        answer = where.call("sagemaker", "create_endpoint_config", **wanted)
        arn = answer["EndpointConfigArn"]
        return arn, {"EndpointConfigName": name, "EndpointConfigArn": arn}

    def delete(self, where, resource):
        named = some(resource.attributes, "EndpointConfigName")
        gone_is_good(where.call, "sagemaker", "delete_endpoint_config", **named)


@kind("AWS::SageMaker::Endpoint")
class Endpoint(_Tagged):
    name = "EndpointName"

    def create(self, where, name, properties):
        wanted = {"EndpointName": name, **properties}
        answer = where.call("sagemaker", "create_endpoint", **wanted)
        arn = answer["EndpointArn"]
        return arn, {"EndpointName": name, "EndpointArn": arn}

    def update(self, where, resource, properties):
        """Swap the configuration; moto has no UpdateEndpoint, so within one step it is made anew."""
        name, old = resource.attributes["EndpointName"], resource.properties["EndpointConfigName"]
        if properties["EndpointConfigName"] != old:
            new = properties["EndpointConfigName"]
            if _is_serverless(where, new) and not _is_serverless(where, old):
                raise Refused("Cannot update an instance based endpoint to a serverless one.")
            where.call("sagemaker", "delete_endpoint", EndpointName=name)
            where.call("sagemaker", "create_endpoint", **{"EndpointName": name, **properties})
        self.retag(where, resource, properties)

    def delete(self, where, resource):
        named = some(resource.attributes, "EndpointName")
        gone_is_good(where.call, "sagemaker", "delete_endpoint", **named)


def _is_serverless(where, config):
    found = where.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config)
    return "ServerlessConfig" in found["ProductionVariants"][0]
