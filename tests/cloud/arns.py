"""On what each call is made, as IAM names it, where the call's own parameters say so.

After the Service Authorization Reference; where it leaves open how a log group is written, it is as
IAM's own refusals write it.
"""

_SAGEMAKER = {
    "endpoint_config": ("EndpointConfigName", "endpoint-config"),
    "endpoint": ("EndpointName", "endpoint"),
    "training_job": ("TrainingJobName", "training-job"),
    "transform_job": ("TransformJobName", "transform-job"),
    "model": ("ModelName", "model"),
}


def arn_of(call, region, account):
    """Return the ARN of what a call is about; empty where its parameters do not tell.

    Args:
        call: service, operation and parameters.
        region: where it is made.
        account: whose it is.
    """
    of = _OF.get(call.service)
    found = of(call.operation, call.params) if of else ""
    if not found or found.startswith("arn:"):
        return found
    return f"arn:aws:{found.format(here=f'{region}:{account}', region=region, account=account)}"


def _s3(operation, params):
    bucket = params.get("Bucket")
    if not bucket:
        return ""
    keys = params.get("Delete", {}).get("Objects", [])
    key = params.get("Key") or (keys[0]["Key"] if keys else "")
    return f"s3:::{bucket}/{key}" if key else f"s3:::{bucket}"


def _lambda(operation, params):
    if "LayerName" in params:
        version = f":{params['VersionNumber']}" if "VersionNumber" in params else ""
        return f"lambda:{{here}}:layer:{params['LayerName']}{version}"
    if "FunctionName" in params:
        return f"lambda:{{here}}:function:{params['FunctionName']}"
    return params.get("Resource", "")


def _cloudformation(operation, params):
    name = params.get("StackName", "")
    return (
        name if name.startswith("arn:") or not name else f"cloudformation:{{here}}:stack/{name}/1"
    )


def _iam(operation, params):
    return f"iam::{{account}}:role/{params['RoleName']}" if "RoleName" in params else ""


def _sagemaker(operation, params):
    for word, (key, kind) in _SAGEMAKER.items():
        if operation.endswith(word) and key in params:
            return f"sagemaker:{{here}}:{kind}/{params[key]}"
    return params.get("ResourceArn", "")


def _logs(operation, params):
    if "logGroupName" not in params:
        return params.get("resourceArn", "")
    stream = params.get("logStreamName", "")
    return f"logs:{{here}}:log-group:{params['logGroupName']}:log-stream:{stream}"


def _scheduler(operation, params):
    return f"scheduler:{{here}}:schedule/{params['GroupName']}/{params['Name']}"


def _apigateway(operation, params):
    return f"apigateway:{{region}}::/apis{'/' + params['ApiId'] if 'ApiId' in params else ''}"


def _cloudfront(operation, params):
    if "Id" not in params:
        return params.get("Resource", "")
    kind = "origin-access-control" if "access_control" in operation else "distribution"
    return f"cloudfront::{{account}}:{kind}/{params['Id']}"


def _ecr(operation, params):
    return f"ecr:{{here}}:repository/{params['repositoryName']}"


_OF = {
    "s3": _s3,
    "lambda": _lambda,
    "cloudformation": _cloudformation,
    "iam": _iam,
    "sagemaker": _sagemaker,
    "logs": _logs,
    "scheduler": _scheduler,
    "apigatewayv2": _apigateway,
    "cloudfront": _cloudfront,
    "ecr": _ecr,
}
