"""From a name to the address where it answers."""

import pytest
from tests.cloud.deploying import account, bed, put, world

from marfa.aws.address import address
from marfa.errors import GoneError, SettingsError
from marfa.settings import CloudSettings
from marfa.stages.destroy import destroy

__all__ = ["account", "bed", "put", "world"]


def test_a_name_leads_to_the_address_of_its_deployment(bed, put, model_path):
    url = put(model_path)["url"]
    assert address("soup", CloudSettings(), bed.cloud()) == url


def test_a_url_is_itself():
    assert address("https://example.org/x", CloudSettings()) == "https://example.org/x"


def test_what_is_gone_says_so(bed, put, model_path):
    put(model_path)
    destroy("soup", cloud=bed.cloud())
    with pytest.raises(GoneError, match="nothing of 'soup' is live"):
        address("soup", CloudSettings(), bed.cloud())


@pytest.mark.parametrize(
    ("host", "scheme"),
    [("localhost:8080", "http"), ("127.0.0.1:80/x", "http"), ("soup.example", "https")],
)
def test_a_host_without_a_scheme_is_told_how_a_url_begins(host, scheme):
    with pytest.raises(SettingsError, match="a URL begins with http:// or https://") as caught:
        address(host, CloudSettings())
    assert caught.value.hint == f"--against {scheme}://{host}"


@pytest.mark.parametrize("name", ["", "soup.example", "a b", "SOUP"])
def test_what_is_neither_is_refused(name):
    with pytest.raises(SettingsError):
        address(name, CloudSettings())
