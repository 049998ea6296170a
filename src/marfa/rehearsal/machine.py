"""What a template's resources are on this machine: a function, a container and their doors.

Most resources of a deployment are records and rights, of which there is nothing to be made here. Those
that answer are made for real.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marfa import files
from marfa.aws import images, lease
from marfa.aws.names import Names
from marfa.errors import CloudError
from marfa.rehearsal import gateway, runtime
from marfa.rehearsal.container import Container, free_port, need_server
from marfa.rehearsal.events import Place
from marfa.rehearsal.formation import Resource
from marfa.rehearsal.function import Function, need_boto3
from marfa.rehearsal.gateway import Cors, Gateway, Tokens
from marfa.rehearsal.loopback import Door
from marfa.rehearsal.runtime import Endpoint, Runtime

_SERVERLESS_PING_SECONDS = 180.0
_PING_SECONDS = 240.0


@dataclass(kw_only=True)
class Trouble:
    """What is to go wrong.

    Attributes:
        refused: why AWS refuses to make a resource, by the resource's name in the template.
        stuck_seconds: the container listens elsewhere, and is given up after so long; 0 for a good one.
    """

    refused: dict[str, str] = field(default_factory=dict)
    stuck_seconds: float = 0.0


class Machine:
    """Makes resources, and takes them away.

    Args:
        names: the deployment's names.
        folder: where its processes have their files.
        read: returns what has been sent, by its key.
        port: where the page is to be; 0 for any free one.
        trouble: what is to go wrong.
        tell: told what is being waited for.

    Attributes:
        runtime: what stands for SageMaker's runtime API.
        gateway: what stands for the HTTP API, once its stage is there.
        url: where the page is; empty as long as there is none.
        runtime_url: where SageMaker's runtime API answers; empty without an endpoint.
        lease_end: when the lease ends, if there is one.
        container: the endpoint's, if there is one.
        function: the function, once it is there.
    """

    def __init__(
        self,
        names: Names,
        folder: Path,
        read: Callable[[str], bytes],
        *,
        port: int = 0,
        trouble: Trouble | None = None,
        tell: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._names, self._folder, self._read, self._tell = names, folder, read, tell
        self._port, self._trouble = port, trouble or Trouble()
        self._described: dict[str, Resource] = {}
        self._doors: dict[str, Door] = {}
        self._addresses: list[str] = []
        self.runtime = Runtime()
        self.gateway: Gateway | None = None
        self.url = self.runtime_url = ""
        self.lease_end: datetime | None = None
        self.container: Container | None = None
        self.function: Function | None = None

    def make(self, resource: Resource) -> None:
        """Make one resource.

        Raises:
            CloudError: if it cannot be made.
            SettingsError: if the port is taken.
        """
        if why := self._trouble.refused.get(resource.logical):
            raise CloudError(why)
        self._described[resource.logical] = resource
        match resource.kind:
            case "AWS::Scheduler::Schedule":
                self.lease_end = lease.read(str(resource.properties["StartDate"]))
            case "AWS::SageMaker::Endpoint":
                self._serve(resource)
            case "AWS::Lambda::Function":
                self._unpack(resource)
            case "AWS::ApiGatewayV2::Stage":
                self._open(resource)

    def unmake(self, resource: Resource) -> None:
        """Take one resource away, and with it what is at work here."""
        self._described.pop(resource.logical, None)
        match resource.kind:
            case "AWS::Scheduler::Schedule":
                self.lease_end = None
            case "AWS::SageMaker::Endpoint":
                self._shut("runtime")
                if self.container:
                    self.container.close()
                self.runtime.endpoints.clear()
            case "AWS::Lambda::Function":
                if self.function:
                    self.function.close()
            case "AWS::ApiGatewayV2::Stage":
                self._shut("page")

    @property
    def left(self) -> list[str]:
        """Return what is still at work: processes and addresses."""
        found = [f"an address: {url}" for url in self._addresses if _answers(url)]
        if self.container and self.container.alive:
            found.append("a container")
        if self.function and self.function.alive:
            found.append("a function")
        return found

    def _property(self, logical: str, name: str) -> Any:
        return self._described[logical].properties[name]

    def _serve(self, resource: Resource) -> None:
        """Start the container, wait until it is ready, and let the runtime API know of it."""
        (variant,) = self._property("EndpointConfig", "ProductionVariants")
        primary = self._property("Model", "PrimaryContainer")
        archive = self._folder / "model.tar.gz"
        files.write_bytes(archive, self._read(_key(primary["ModelDataUrl"])))
        serverless = "ServerlessConfig" in variant
        usual = _SERVERLESS_PING_SECONDS if serverless else _PING_SECONDS
        seconds = float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", usual))
        stuck = self._trouble.stuck_seconds
        self.container = Container(
            archive,
            {**_engine(primary["Image"]), **primary.get("Environment", {})},
            self._folder,
            listens=free_port() if stuck else 0,
        )
        self._tell(f"the container starts; /ping is asked until it answers, {seconds:g} s at most")
        if stuck:
            self._tell(f"it does not answer; here it is given up after {stuck:g} s")
        self.container.wait(stuck or seconds)
        self.runtime.endpoints[resource.name] = Endpoint(
            name=resource.name,
            url=self.container.url,
            variant=variant["VariantName"],
            serverless=serverless,
            account=self._names.account,
            region=self._names.region,
        )
        door = Door(self.runtime.answer, runtime.refuse, most_bytes=runtime.MOST_BYTES)
        self.runtime_url = self._enter("runtime", door)

    def _unpack(self, resource: Resource) -> None:
        code = self._read(str(resource.properties["Code"]["S3Key"]))
        folder = self._folder / "function"
        folder.mkdir(exist_ok=True)
        self.function = Function(code, resource.properties, self._region(), folder)

    def _region(self) -> dict[str, str]:
        """Return the variables that Lambda gives a function, its credentials and region among them."""
        address = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.runtime_url}
        return {
            "AWS_REGION": self._names.region,
            "AWS_DEFAULT_REGION": self._names.region,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_CONFIG_FILE": os.devnull,  # nothing of the user's reaches a function
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **(address if self.runtime_url else {}),
        }

    def _open(self, resource: Resource) -> None:
        assert self.function is not None, "a stage stands before a function"
        throttle = resource.properties["DefaultRouteSettings"]
        rules = self._described["Api"].properties.get("CorsConfiguration")
        self.gateway = Gateway(
            self.function.invoke,
            Tokens(throttle["ThrottlingRateLimit"], throttle["ThrottlingBurstLimit"]),
            self._property("Integration", "TimeoutInMillis") / 1000,
            Place(
                api=self._described["Api"].name,
                account=self._names.account,
                region=self._names.region,
            ),
            Cors(
                origins=rules["AllowOrigins"],
                methods=rules["AllowMethods"],
                headers=rules["AllowHeaders"],
                seconds=rules["MaxAge"],
            )
            if rules
            else None,
        )
        most, port = gateway.MOST_BYTES, self._port
        door = Door(self.gateway.answer, gateway.refuse, port=port, most_bytes=most)
        self.url = self._enter("page", door) + "/"

    def _enter(self, name: str, door: Door) -> str:
        self._doors[name] = door.__enter__()
        self._addresses.append(door.url)
        return door.url

    def _shut(self, name: str) -> None:
        if door := self._doors.pop(name, None):
            door.__exit__(None, None, None)


def check_parts(target: str) -> None:
    """Make sure that everything is installed that a rehearsal of a target needs.

    Raises:
        MissingExtraError: if something is not.
    """
    need_boto3()
    if target != "lambda":
        need_server()


def _engine(image: str) -> dict[str, str]:
    """Return what lets a container here compute as one of an image does: AWS's have no ONNX Runtime."""
    known = any(image.endswith(f"/{each.repository}") for each in images.IMAGES.values())
    return {"MARFA_ENGINE": "numpy"} if known else {}


def _key(address: str) -> str:
    """Return the key of an s3:// address."""
    return address.removeprefix("s3://").partition("/")[2]


def _answers(url: str) -> bool:
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=1)
    try:
        line.connect()
    except OSError:
        return False
    finally:
        line.close()
    return True
