"""What an account may have at most: two services of which moto has nothing to say about that.

Lambda's GetAccountSettings and Service Quotas are added to moto's server; the numbers are a new
account's, until a test sets others.
"""

import json
import os
from types import SimpleNamespace

from moto.awslambda import urls as lambda_urls
from moto.core.base_backend import BaseBackend
from moto.core.exceptions import JsonRESTError
from moto.core.responses import BaseResponse
from moto.servicequotas.models import servicequotas_backends
from moto.servicequotas.urls import url_bases

CONCURRENCY = "MOTO_LAMBDA_CONCURRENCY_QUOTA"
"""The variable of the environment that tells moto."""


class Quotas:
    """The limits of the account.

    Attributes:
        values: of Service Quotas: (service code, quota code) -> (name, value).
    """

    def __init__(self):
        self.values = {}

    def reset(self):
        """Return to the limits of an ordinary account."""
        self.values = {}
        self.concurrency = 1000

    @property
    def concurrency(self):
        """How many copies of all Lambda functions may run; new accounts have 10."""
        return int(os.environ.get(CONCURRENCY, "1000"))

    @concurrency.setter
    def concurrency(self, value):
        os.environ[CONCURRENCY] = str(value)


QUOTAS = Quotas()


def install():
    """Add both to moto's server, for this process, before it starts."""
    path = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
    lambda_urls.url_paths[path] = account_settings
    servicequotas_backends.clear()
    servicequotas_backends.backend = Backend


def account_settings(request, full_url, headers):
    """Answer lambda:GetAccountSettings."""
    limit = QUOTAS.concurrency
    answer = {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0},
    }
    return 200, {"content-type": "application/json"}, json.dumps(answer)


class Backend(BaseBackend):
    """Service Quotas of one account and region."""

    @property
    def _url_module(self):
        return SimpleNamespace(url_bases=url_bases, url_paths={"{0}/$": Service.dispatch})


class Service(BaseResponse):
    """The operations, as boto3 calls them; what is asked for by default is what there is."""

    def __init__(self):
        super().__init__(service_name="service-quotas")

    def get_service_quota(self):
        wanted = json.loads(self.body)
        for found in self._of(wanted["ServiceCode"]):
            if found["QuotaCode"] == wanted["QuotaCode"]:
                return json.dumps({"Quota": found})
        raise JsonRESTError("NoSuchResourceException", "The request failed: no such quota.")

    def list_service_quotas(self):
        return json.dumps({"Quotas": self._of(json.loads(self.body)["ServiceCode"])})

    get_aws_default_service_quota = get_service_quota
    list_aws_default_service_quotas = list_service_quotas

    def _of(self, service):
        return [
            {
                "ServiceCode": service,
                "ServiceName": service,
                "QuotaCode": code,
                "QuotaName": name,
                "Value": float(value),
                "Unit": "None",
                "Adjustable": True,
            }
            for (owner, code), (name, value) in QUOTAS.values.items()
            if owner == service
        ]
