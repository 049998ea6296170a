"""Buckets and roles, as CloudFormation makes them."""

import json

from tests.cloud.resource_types import Type, gone_is_good, kind, some, tags_taken


def _encryption(found):
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": each["ServerSideEncryptionByDefault"],
                **some(each, "BucketKeyEnabled"),
            }
            for each in found["ServerSideEncryptionConfiguration"]
        ]
    }


def _lifecycle(found):
    rules = []
    for each in found["Rules"]:
        rule = {
            "ID": each["Id"],
            "Status": each["Status"],
            "Filter": {"Prefix": each.get("Prefix", "")},
            **some(each, "AbortIncompleteMultipartUpload"),
        }
        if "ExpirationInDays" in each:
            rule["Expiration"] = {"Days": each["ExpirationInDays"]}
        if "NoncurrentVersionExpiration" in each:
            rule["NoncurrentVersionExpiration"] = each["NoncurrentVersionExpiration"]
        rules.append(rule)
    return {"Rules": rules}


def _same(found):
    return found


_BUCKET = {
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        _same,
    ),
    "OwnershipControls": ("put_bucket_ownership_controls", "OwnershipControls", _same),
    "BucketEncryption": (
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        _encryption,
    ),
    "LifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        _lifecycle,
    ),
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration", _same),
    "Tags": ("put_bucket_tagging", "Tagging", lambda tags: {"TagSet": tags}),
}
"""For each property of a bucket: the call that sets it, how it names the value, and its shape there."""


@kind("AWS::S3::Bucket")
class Bucket(Type):
    name, takes = "BucketName", tuple(_BUCKET)

    def create(self, where, name, properties):
        place = {} if where.region == "us-east-1" else {"LocationConstraint": where.region}
        where.call(
            "s3",
            "create_bucket",
            Bucket=name,
            **({"CreateBucketConfiguration": place} if place else {}),
        )
        host = f"{name}.s3.{where.region}.amazonaws.com"
        return name, {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": host,
        }

    def finish(self, where, resource, before):
        bucket, wanted = resource.physical, resource.properties
        for word, (operation, parameter, shape) in _BUCKET.items():
            if word in wanted:
                where.call("s3", operation, Bucket=bucket, **{parameter: shape(wanted[word])})

    def update(self, where, resource, properties):
        before, resource.properties = resource.properties, properties
        self.finish(where, resource, before)

    def delete(self, where, resource):
        gone_is_good(where.call, "s3", "delete_bucket", Bucket=resource.physical)


@kind("AWS::S3::BucketPolicy")
class BucketPolicy(Type):
    def create(self, where, name, properties):
        self._put(where, properties)
        return properties["Bucket"], {}

    def update(self, where, resource, properties):
        self._put(where, properties)

    def delete(self, where, resource):
        gone_is_good(where.call, "s3", "delete_bucket_policy", Bucket=resource.physical)

    def _put(self, where, properties):
        """Put it, less what forbids a line in the open: ours is one, and moto reads no conditions."""
        document = properties["PolicyDocument"]
        kept = [each for each in document["Statement"] if not _is_for_the_line(each)]
        policy = json.dumps({**document, "Statement": kept})
        where.call("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=policy)


def _is_for_the_line(statement):
    condition = statement.get("Condition")
    return statement["Effect"] == "Deny" and condition == {"Bool": {"aws:SecureTransport": "false"}}


_MADE = ("Path", "Description", "MaxSessionDuration", "Tags")


@kind("AWS::IAM::Role")
class Role(Type):
    name = "RoleName"
    takes = (*_MADE, "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns")

    def create(self, where, name, properties):
        answer = where.call(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            **some(properties, *_MADE),
        )
        return name, {"Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"]}

    def finish(self, where, resource, before):
        named, wanted = {"RoleName": resource.physical}, resource.properties
        for each in wanted.get("Policies", []):
            document = json.dumps(each["PolicyDocument"])
            policy = {"PolicyName": each["PolicyName"], "PolicyDocument": document}
            where.call("iam", "put_role_policy", **named, **policy)
        for arn in wanted.get("ManagedPolicyArns", []):
            where.call("iam", "attach_role_policy", **named, PolicyArn=arn)
        for policy in _policies(before) - _policies(wanted):
            where.call("iam", "delete_role_policy", **named, PolicyName=policy)

    def update(self, where, resource, properties):
        before, resource.properties = resource.properties, properties
        named = {"RoleName": resource.physical}
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        where.call("iam", "update_assume_role_policy", **named, PolicyDocument=trust)
        where.call("iam", "update_role", **named, **some(properties, "Description"))
        self.finish(where, resource, before)
        old, new = before.get("Tags", []), properties.get("Tags", [])
        if tags_taken(old, new):
            where.call("iam", "untag_role", **named, TagKeys=tags_taken(old, new))
        if new:
            where.call("iam", "tag_role", **named, Tags=new)

    def delete(self, where, resource):
        named = {"RoleName": resource.physical}
        inline = gone_is_good(where.call, "iam", "list_role_policies", **named)
        for policy in inline.get("PolicyNames", []):
            where.call("iam", "delete_role_policy", **named, PolicyName=policy)
        attached = gone_is_good(where.call, "iam", "list_attached_role_policies", **named)
        for policy in attached.get("AttachedPolicies", []):
            where.call("iam", "detach_role_policy", **named, PolicyArn=policy["PolicyArn"])
        gone_is_good(where.call, "iam", "delete_role", **named)


def _policies(properties):
    return {each["PolicyName"] for each in properties.get("Policies", [])}
