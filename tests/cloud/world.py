"""What answers at a deployed address: the very bytes that were deployed, read back from the account."""

import io
import json
import zipfile
from dataclasses import replace
from functools import cache
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from marfa import bundle as bundles
from marfa import loading
from marfa.container.contract import Response, respond
from marfa.errors import NetworkError

GATEWAYS_OWN = Response(200, "text/plain", b"Healthy Connection")
"""What API Gateway answers at /ping by itself, before any route."""

NOT_READY = Response(503, "application/json", b'{"message":"Service Unavailable"}')


class World:
    """The internet, as far as it leads to one account.

    Args:
        bed: the account.

    Attributes:
        spoil: changes an answer on its way; None for no change.
        asked: how many questions were asked.
    """

    def __init__(self, bed):
        self._session = bed.session()
        self.spoil = None
        self.asked = 0

    def ask(self, url, request):
        """Answer as the function, or the endpoint behind it, would that is deployed there."""
        self.asked += 1
        model = self._model(urlsplit(url).netloc.partition(".")[0])
        if request.path == "/ping":
            return GATEWAYS_OWN
        if model is None:
            return NOT_READY
        if request.path == "/readyz":
            request = replace(request, path="/ping")
        response = respond(model, request)
        return self.spoil(response) if self.spoil else response

    def _model(self, api):
        gateway = self._session.client("apigatewayv2")
        try:
            (integration,) = gateway.get_integrations(ApiId=api)["Items"]
        except (ClientError, ValueError):
            message = "no such host"
            raise NetworkError(message, where=api) from None
        function = integration["IntegrationUri"].rpartition(":")[2]
        template = self._session.client("cloudformation").get_template(
            StackName=f"{function}-live"
        )["TemplateBody"]
        made = (template if isinstance(template, dict) else json.loads(template))["Resources"]
        if "Endpoint" not in made:
            code = made["Function"]["Properties"]["Code"]
            return _of_zip(self._read(code["S3Bucket"], code["S3Key"]))
        try:
            self._session.client("sagemaker").describe_endpoint(EndpointName=function)
        except ClientError:
            return None
        address = made["Model"]["Properties"]["PrimaryContainer"]["ModelDataUrl"]
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return _of_archive(self._read(bucket, key))

    def _read(self, bucket, key):
        return self._session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


@cache
def _of_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = [name for name in packed.namelist() if name.startswith("model/")]
        found = {name.removeprefix("model/"): packed.read(name) for name in names}
    return loading.of(bundles.verify(found, "the zip"), "numpy")


@cache
def _of_archive(content):
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        found = {each.name: packed.extractfile(each).read() for each in packed}
    return loading.of(bundles.verify(found, "the archive"), "numpy")
