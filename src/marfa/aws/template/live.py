"""The live stack: everything that answers, and everything that bills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marfa.aws.names import Names
from marfa.aws.template import api, endpoint, function, lease, site
from marfa.aws.template.document import Resources, Template, digest, ref, template
from marfa.settings import CloudSettings

LEASE_END = "LeaseEnd"
"""The one parameter: when the lease ends. All else is written into the template."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the live stack is to be.

    Args:
        names: the deployment's names.
        settings: target, sizes and limits.
        model: twelve digits that name the model.
        bucket: where what has been sent is.
        code: key of the function's zip.
        layer: key of the numpy layer's zip; empty where none is sent.
        archive: key of model.tar.gz; empty for the target lambda.
        image: address of the endpoint's container; empty for the target lambda.
        page: prefix of the page in the bucket; empty without a site.
        reserved: copies of the function that are reserved; 0 for no reservation.
        leased: whether it is deleted by itself when the lease ends.
    """

    names: Names
    settings: CloudSettings
    model: str
    bucket: str
    code: str
    layer: str = ""
    archive: str = ""
    image: str = ""
    page: str = ""
    reserved: int = 0
    leased: bool = False

    @property
    def version(self) -> str:
        """Name what is deployed by all that decides it."""
        return digest(self._resources())

    def build(self) -> Template:
        """Write the template.

        An endpoint without its schedule cannot be written: the one is made of the other's name.
        """
        outputs: dict[str, Any] = {
            "Url": api.URL,
            "Target": self.settings.target,
            "Model": self.model,
            "Version": self.version,
        }
        parameters = {}
        if self.settings.site:
            outputs["Site"] = site.URL
        if self.leased:
            outputs["LeaseEnd"] = ref(LEASE_END)
            parameters[LEASE_END] = {
                "Type": "String",
                "Description": "UTC; from then on everything here is deleted.",
            }
        outputs |= self._billed()
        description = f"marfa: {self.names.deployment}, {self.settings.target}. Deleted with: "
        return template(
            f"{description}marfa destroy {self.names.deployment}",
            self._resources(),
            outputs,
            parameters,
        )

    def _billed(self) -> dict[str, str]:
        """Return what decides the price, for whoever looks later."""
        billed = {"Architecture": self.settings.architecture}  # of the function, before whatever
        match self.settings.target:
            case "lambda":
                return billed | {"Memory": str(self.settings.memory)}
            case "serverless":
                return billed | {"ServerlessMemory": str(self.settings.serverless_memory)}
            case _:
                return billed | {"InstanceType": self.settings.instance_type}

    def _resources(self) -> Resources:
        names, settings = self.names, self.settings
        made: Resources = {}
        told: dict[str, Any] = {}
        if self.leased:
            made |= lease.resources(names, LEASE_END)
            told = {"MARFA_LEASE_END": ref(LEASE_END)}  # which the page counts down
        if settings.target == "lambda":
            made |= function.answering(
                names, settings, self.bucket, self.code, self.layer, self.reserved, told
            )
        else:
            guard = tuple(made)  # the lease comes before what it ends
            made |= endpoint.resources(
                names, settings, self.image, f"s3://{self.bucket}/{self.archive}", guard
            )
            made |= function.forwarding(
                names, settings, self.bucket, self.code, self.reserved, told
            )
        made |= api.resources(names, settings)
        if settings.site:
            made |= site.resources(names, self.bucket, self.page)
        return made
