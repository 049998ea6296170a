"""Things that look very much like a deployment's and are somebody else's: destroying must spare them.

Their names share every prefix with the deployment's, their tags share the key or the value, some are
another deployment's own, and one of these has the very same name in another region.
"""

import io
import json
import zipfile

from tests.cloud.inventory import everything

from marfa.aws.names import TAG, Names

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def lookalikes(session, names):
    """Make them, and return their lines in the census.

    Args:
        session: a boto3 session that nobody listens to.
        names: the names of the deployment that they resemble.
    """
    before = everything(session)
    role = _roles(session, names)
    for make in (_stacks, _buckets, _logs, _apis, _layers, _cloudfront):
        make(session, names)
    for make in (_functions, _schedules, _sagemaker, _jobs):
        make(session, names, role)
    return everything(session) - before


def _tags(names):
    """Return tags that are not the deployment's, each in its own way: another value, another key."""
    value = names.deployment
    return [
        {},
        {TAG: f"{value}-2"},
        {TAG: f"{value}x"},
        {TAG: value.upper()},
        {f"{TAG}s": value},
        {TAG.replace(":", "-"): value},
    ]


def _named(names, *endings):
    """Pair names that begin as the deployment's do with those tags, by turns."""
    tags = _tags(names)
    return [(f"{names.one}{end}", tags[i % len(tags)]) for i, end in enumerate(endings)]


def _listed(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _neighbour(names):
    """Return the names of another deployment, whose names all begin with this one's."""
    return Names(f"{names.deployment}-2"[:20], names.region, names.account, names.partition)


def _abroad(names):
    """Return the names of a deployment of the same name in another region."""
    region = "eu-west-3" if names.region != "eu-west-3" else "eu-west-1"
    return Names(names.deployment, region, names.account, names.partition)


def _roles(session, names):
    iam = session.client("iam")
    abroad, neighbour = _abroad(names), _neighbour(names)
    made = [
        (names.role("answer2"), {}),
        (f"{names.role('service')}-old", {TAG: f"{names.deployment}x"}),
        (f"x{names.role('proxy')}", {TAG: names.deployment}),
        (neighbour.role("answer"), {TAG: neighbour.deployment}),
        (abroad.role("answer"), {TAG: abroad.deployment}),
        (abroad.role("service"), {TAG: abroad.deployment}),
    ]
    for name, tags in made:
        trust = json.dumps(_TRUST)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=_listed(tags))
        allowed = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return f"arn:aws:iam::{names.account}:role/{made[0][0]}"


def _stacks(session, names):
    client = session.client("cloudformation")
    neighbour = _neighbour(names)
    made = [
        *_named(names, "-live2", "-live-2", "-basement", "x-live", "-live-base"),
        (neighbour.live, {TAG: neighbour.deployment}),
        (neighbour.base, {TAG: neighbour.deployment}),
    ]
    for name, tags in made:
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/stacks/{name}"}}
        body = json.dumps({"Resources": {"Log": group}})
        client.create_stack(StackName=name, TemplateBody=body, Tags=_listed(tags))
    for name, _ in made:
        while client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"].endswith(
            "PROGRESS"
        ):
            pass


def _buckets(session, names):
    s3 = session.client("s3")
    place = {"LocationConstraint": names.region}
    where = {} if names.region == "us-east-1" else {"CreateBucketConfiguration": place}
    for name, tags in _named(
        names, "-base-bucket-untagged", "-base-bucket-another", "-2-base-bucket-a1", "-base-buckets"
    ):
        s3.create_bucket(Bucket=name, **where)
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _listed(tags)})
        s3.put_object(Bucket=name, Key="models/theirs.tar.gz", Body=b"theirs")
        s3.create_multipart_upload(Bucket=name, Key="models/half.tar.gz")


def _logs(session, names):
    logs = session.client("logs")
    for name, tags in [
        *_named(names, "2", "-2", "-live", "/extra"),
        (f"x-{names.one}", {TAG: names.deployment}),
    ]:
        for group in (f"/aws/lambda/{name}", f"/aws/sagemaker/Endpoints/{name}"):
            logs.create_log_group(logGroupName=group, tags=tags)


def _apis(session, names):
    client = session.client("apigatewayv2")
    for name, tags in [*_named(names, "", "-2", "x", "-api"), (names.one, {TAG: "other"})]:
        wanted = {"Name": name, "ProtocolType": "HTTP", "Description": f"{TAG}=other"}
        api = client.create_api(**wanted, Tags=tags)["ApiId"]
        client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        client.create_route(ApiId=api, RouteKey="$default")
    session.client("apigateway").create_rest_api(name=names.one, tags={f"{TAG}s": names.deployment})


def _zip():
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("theirs.py", "theirs = True\n")
    return whole.getvalue()


def _layers(session, names):
    client = session.client("lambda")
    for name, description in (
        (names.layer, ""),  # a version that somebody has published under the same name
        (names.layer, f"{names.mark}-2"),
        (f"{names.layer}2", names.mark),
        (_neighbour(names).layer, _neighbour(names).mark),
    ):
        client.publish_layer_version(
            LayerName=name, Description=description, Content={"ZipFile": _zip()}
        )


def _functions(session, names, role):
    client = session.client("lambda")
    for name, tags in _named(names, "2", "-2", "x", "-live", "-proxy"):
        client.create_function(
            FunctionName=name,
            Description=names.mark if not tags else "",
            Runtime="python3.13",
            Role=role,
            Handler="theirs.handler",
            Code={"ZipFile": _zip()},
            Tags=tags,
        )


def _schedules(session, names, role):
    client = session.client("scheduler")
    client.create_schedule_group(Name="theirs")
    for name, group, description in (
        (names.one, "theirs", names.mark),  # the same name and mark, but in another group
        (f"{names.one}-2", "default", _neighbour(names).mark),
        (f"{names.one}x", "default", ""),
        (f"{names.one}-lease", "default", names.mark),
        (f"x{names.one}", "default", names.mark),
    ):
        client.create_schedule(
            Name=name,
            GroupName=group,
            Description=description,
            FlexibleTimeWindow={"Mode": "OFF"},
            ScheduleExpression="rate(5 minutes)",
            State="DISABLED",
            Target={"Arn": "arn:aws:scheduler:::aws-sdk:sts:getCallerIdentity", "RoleArn": role},
        )


def _sagemaker(session, names, role):
    client = session.client("sagemaker")
    image = f"{names.account}.dkr.ecr.{names.region}.amazonaws.com/theirs:1"
    for name, tags in _named(names, "-2", "x", "-2-0123abcd", "-deadbeef", "-endpoint", "2"):
        listed = _listed(tags)
        container = {"Image": image, "ModelDataUrl": "s3://theirs/model.tar.gz"}
        wanted = {"ExecutionRoleArn": role, "PrimaryContainer": container}
        client.create_model(ModelName=name, **wanted, Tags=listed)
        serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
        variant = {"VariantName": "all", "ModelName": name, "ServerlessConfig": serverless}
        client.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], Tags=listed
        )
        client.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=listed)


def _jobs(session, names, role):
    """Make jobs, one of them called as the deployment's own are, with what they say in their log."""
    client, logs = session.client("sagemaker"), session.client("logs")
    group, end = "/aws/sagemaker/TrainingJobs", "20270101120000-0a1b2c"
    logs.create_log_group(logGroupName=group)
    for name, tags in _named(names, f"-{end}", f"-2-{end}", f"x-{end}", "-mine", f"-{end}-2"):
        output = {"S3OutputPath": "s3://theirs/trained/"}
        client.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            AlgorithmSpecification={"TrainingImage": "theirs", "TrainingInputMode": "File"},
            OutputDataConfig=output,
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            Tags=_listed(tags),
        )
        logs.create_log_stream(logGroupName=group, logStreamName=f"{name}/algo-1-1")


def _cloudfront(session, names):
    client = session.client("cloudfront")
    abroad = _abroad(names)
    for name, comment, tags in (
        (f"{names.one}-{names.region}-2", names.worldwide_mark, {}),
        (
            f"{names.one}2-{names.region}",
            f"{names.worldwide_mark}-2",
            {TAG: f"{names.deployment}-2"},
        ),
        (f"{abroad.one}-{abroad.region}", abroad.worldwide_mark, {TAG: abroad.deployment}),
    ):
        control = client.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": name,
                "Description": comment if tags else "theirs",
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]
        origin = {
            "Id": "page",
            "DomainName": f"theirs.s3.{abroad.region}.amazonaws.com",
            "OriginAccessControlId": control,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        config = {
            "CallerReference": name,
            "Comment": comment,
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "page",
                "ViewerProtocolPolicy": "redirect-to-https",
            },
        }
        wanted = {"DistributionConfig": config, "Tags": {"Items": _listed(tags)}}
        client.create_distribution_with_tags(DistributionConfigWithTags=wanted)
