"""The account that a rehearsal asks: what it answers of quotas is of every machine, and of no other."""

import pytest

from marfa.aws import findings, known
from marfa.rehearsal.account import Account


@pytest.mark.parametrize("machine", ["ml.t2.medium", "ml.g5.xlarge", "ml.p5.48xlarge"])
@pytest.mark.parametrize("instances", [0, 2])
def test_it_answers_for_machines_with_and_without_a_known_price(machine, instances):
    found = findings.quota(Account(instances=instances), machine, "endpoint usage")
    assert (found.ok, found.blocking) == (instances > 0, instances == 0)
    assert f"{instances} {machine} allowed" in found.found


def test_a_machine_that_is_none_has_no_quota_and_is_no_accident():
    found = findings.quota(Account(), "ml.foo", "endpoint usage")
    assert "no quota is named 'ml.foo for endpoint usage'" in found.found


@pytest.mark.parametrize(
    "operation", ["list_service_quotas", "list_aws_default_service_quotas"]
)  # fmt: skip
def test_both_ways_to_ask_list_every_machine_of_endpoints(operation):
    pages = Account().pages("service-quotas", operation, ServiceCode="sagemaker")
    named = {each["QuotaName"].partition(" ")[0] for page in pages for each in page["Quotas"]}
    assert named == set(known.choices(*known.INSTANCE_TYPES))
