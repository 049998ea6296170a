"""HTTP APIs and CloudFront, as CloudFormation makes them."""

from tests.cloud.resource_types import Type, as_mapping, gone_is_good, kind, made, some

_RENAMED = {"IPV6Enabled": "IsIPV6Enabled", "OriginSSLProtocols": "OriginSslProtocols"}
_PORTS = {"HTTPPort": 80, "HTTPSPort": 443}


@kind("AWS::ApiGatewayV2::Api")
class Api(Type):
    def create(self, where, name, properties):
        answer = where.call("apigatewayv2", "create_api", **properties)
        arn = f"arn:aws:execute-api:{where.region}:{where.account}:{answer['ApiId']}"
        return answer["ApiId"], {**made(answer, "ApiId", "ApiEndpoint"), "ExecuteApiArn": arn}

    def update(self, where, resource, properties):
        named = {"ApiId": resource.physical}
        changed = {
            key: each for key, each in properties.items() if key not in {"Tags", "ProtocolType"}
        }
        if "CorsConfiguration" in resource.properties and "CorsConfiguration" not in properties:
            where.call("apigatewayv2", "delete_cors_configuration", **named)
        where.call("apigatewayv2", "update_api", **named, **changed)
        arn = f"arn:aws:apigateway:{where.region}::/apis/{resource.physical}"
        old, new = resource.properties.get("Tags", {}), properties.get("Tags", {})
        if set(old) - set(new):
            taken = sorted(set(old) - set(new))
            where.call("apigatewayv2", "untag_resource", ResourceArn=arn, TagKeys=taken)
        if new:
            where.call("apigatewayv2", "tag_resource", ResourceArn=arn, Tags=new)

    def delete(self, where, resource):
        gone_is_good(where.call, "apigatewayv2", "delete_api", ApiId=resource.physical)


class _OfApi(Type):
    """A part of an API.

    Attributes:
        word: the part, as the operations are named.
        key: how its id is named.
    """

    word = key = ""

    def create(self, where, name, properties):
        answer = where.call("apigatewayv2", f"create_{self.word}", **properties)
        return answer[self.key], {}

    def update(self, where, resource, properties):
        named = {self.key: resource.physical}
        where.call("apigatewayv2", f"update_{self.word}", **{**properties, **named})

    def delete(self, where, resource):
        named = {"ApiId": resource.properties["ApiId"], self.key: resource.physical}
        gone_is_good(where.call, "apigatewayv2", f"delete_{self.word}", **named)


@kind("AWS::ApiGatewayV2::Integration")
class Integration(_OfApi):
    word, key = "integration", "IntegrationId"


@kind("AWS::ApiGatewayV2::Route")
class Route(_OfApi):
    word, key = "route", "RouteId"


@kind("AWS::ApiGatewayV2::Stage")
class Stage(_OfApi):
    word, key = "stage", "StageName"

    def update(self, where, resource, properties):
        """Change it; moto has no UpdateStage, so within one step it is made anew."""
        self.delete(where, resource)
        where.call("apigatewayv2", "create_stage", **properties)


@kind("AWS::CloudFront::OriginAccessControl")
class OriginAccessControl(Type):
    def create(self, where, name, properties):
        answer = where.call("cloudfront", "create_origin_access_control", **properties)
        found = answer["OriginAccessControl"]["Id"]
        return found, {"Id": found}

    def update(self, where, resource, properties):
        found = where.call("cloudfront", "get_origin_access_control", Id=resource.physical)
        named = {"Id": resource.physical, "IfMatch": found["ETag"]}
        where.call("cloudfront", "update_origin_access_control", **named, **properties)

    def delete(self, where, resource):
        named = {"Id": resource.physical}
        found = gone_is_good(where.call, "cloudfront", "get_origin_access_control", **named)
        if found:
            named["IfMatch"] = found["ETag"]
            where.call("cloudfront", "delete_origin_access_control", **named)


@kind("AWS::CloudFront::Distribution")
class Distribution(Type):
    def create(self, where, name, properties):
        wanted = {
            "DistributionConfig": _api_shape(where, properties["DistributionConfig"], name),
            "Tags": {"Items": properties.get("Tags", [])},
        }
        answer = where.call(
            "cloudfront", "create_distribution_with_tags", DistributionConfigWithTags=wanted
        )
        return answer["Distribution"]["Id"], made(answer["Distribution"], "Id", "DomainName")

    def update(self, where, resource, properties):
        found = where.call("cloudfront", "get_distribution_config", Id=resource.physical)
        reference = found["DistributionConfig"]["CallerReference"]
        config = _api_shape(where, properties["DistributionConfig"], reference)
        named = {"Id": resource.physical, "IfMatch": found["ETag"]}
        where.call("cloudfront", "update_distribution", DistributionConfig=config, **named)
        arn = f"arn:aws:cloudfront::{where.account}:distribution/{resource.physical}"
        old, new = (as_mapping(each.get("Tags", [])) for each in (resource.properties, properties))
        if set(old) - set(new):
            taken = {"Items": sorted(set(old) - set(new))}
            where.call("cloudfront", "untag_resource", Resource=arn, TagKeys=taken)
        if new:
            where.call(
                "cloudfront", "tag_resource", Resource=arn, Tags={"Items": properties["Tags"]}
            )

    def delete(self, where, resource):
        """Switch it off first, as CloudFront demands."""
        named = {"Id": resource.physical}
        found = gone_is_good(where.call, "cloudfront", "get_distribution_config", **named)
        if found:
            config = {**found["DistributionConfig"], "Enabled": False}
            changed = where.call(
                "cloudfront",
                "update_distribution",
                IfMatch=found["ETag"],
                DistributionConfig=config,
                **named,
            )
            where.call("cloudfront", "delete_distribution", IfMatch=changed["ETag"], **named)


def _api_shape(where, config, reference):
    """Turn a template's DistributionConfig into the API's: lists are counted, some words differ."""
    model = where.client("cloudfront").meta.service_model
    shape = model.operation_model("UpdateDistribution").input_shape.members["DistributionConfig"]
    return {"CallerReference": reference, "Comment": "", **_counted(config, shape)}


def _counted(value, shape):
    if shape.type_name == "list":
        return [_counted(each, shape.member) for each in value]
    if shape.type_name != "structure":
        return value
    if isinstance(value, list) and "Items" in shape.members:
        return {"Quantity": len(value), "Items": _counted(value, shape.members["Items"])}
    value = {_RENAMED.get(key, key): each for key, each in value.items()}
    cached = value.pop("CachedMethods", None) if "CachedMethods" not in shape.members else None
    found = {
        key: _counted(each, shape.members[key]) if key in shape.members else each
        for key, each in value.items()
    }
    if cached and "AllowedMethods" in found:
        found["AllowedMethods"]["CachedMethods"] = {"Quantity": len(cached), "Items": cached}
    return {**some(_PORTS, *shape.required_members), **found}
