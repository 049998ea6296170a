"""A container has an address that SageMaker takes, for what it is made for, and its end is told."""

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cloud import model

from marfa.aws import images
from marfa.errors import SettingsError
from marfa.settings import CloudSettings

END = date(2026, 6, 30)
OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/marfa"


def takes(uri):
    """Ask the service model, as boto3 would."""
    container = {"Image": uri}
    model.check("sagemaker", "create_model", {"ModelName": "m", "PrimaryContainer": container})
    assert len(uri) <= model.shape("sagemaker", "ContainerImage").metadata["max"]
    return uri


EVERYWHERE = [i for i in images.IMAGES.values() if i.purpose != "ray" and not i.account]


@pytest.mark.parametrize("region", images.REGISTRIES)
def test_every_known_container_has_an_address_in_every_known_region(region):
    for image in EVERYWHERE:
        check_address(image, region)


def check_address(image, region):
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    uri = takes(images.address(image.name, region, partition, purpose=image.purpose))
    assert uri.endswith(f"/{image.repository}")
    assert images.registry(uri) == (images.REGISTRIES[region], region)
    assert (".amazonaws.com.cn/" in uri) == region.startswith("cn-")


@pytest.mark.parametrize(
    ("region", "account"),
    [
        ("us-east-1", "763104351884"),
        ("me-south-1", "217643126080"),
        ("me-central-1", "914824155844"),
        ("cn-north-1", "727897471807"),
    ],
)
def test_the_registry_is_that_of_the_region(region, account):
    assert images.address("pytorch-2.6", region).startswith(f"{account}.dkr.ecr.{region}.")


def test_the_default_container_is_known_and_warned_of():
    image = CloudSettings().image
    images.address(image, "us-east-1")
    assert "no security patches since 2026-06-30" in images.warning(image, date(2026, 11, 24))


@pytest.mark.parametrize("region", ["us-gov-west-1", "eu-nowhere-1"])
def test_a_region_that_is_not_known_asks_for_the_whole_address(region):
    with pytest.raises(SettingsError, match=f"in {region} is not known here") as caught:
        images.address("pytorch-2.6", region)
    assert "give its whole address" in caught.value.hint


def test_a_container_of_another_registry_is_known_where_that_is():
    assert images.address("scikit-learn-1.9", "us-east-1").startswith("683313688378.")
    with pytest.raises(SettingsError, match="in eu-west-1 is not known here"):
        images.address("scikit-learn-1.9", "eu-west-1")


@pytest.mark.parametrize(
    ("image", "purpose", "why"),
    [
        ("pytorch-2.13", "serve", "made for training, and answers nothing"),
        ("pytorch-2.6", "train", "made for answering, and does not train"),
        ("ray", "serve", "does not call a bundle's functions"),
    ],
)
def test_what_is_made_for_something_else_is_refused_with_the_reason(image, purpose, why):
    with pytest.raises(SettingsError, match=why) as caught:
        images.address(image, "us-east-1", purpose=purpose)
    assert caught.value.hint.startswith("known: pytorch-2.")


def test_a_registry_that_only_begins_like_one_of_ecrs_is_none():
    assert images.registry(OWN) == ("123456789012", "eu-west-1")
    assert images.registry(OWN.replace(".com/", ".com.example.org/")) == ("", "")
    assert images.registry("public.ecr.aws/marfa/marfa") == ("", "")


@pytest.mark.parametrize("tail", ["", ":1.0", ":v1_a.b-c", "@sha256:" + "0a" * 32])
def test_an_address_of_ones_own_is_taken_as_it_is(tail):
    assert images.address(OWN + tail, "eu-west-1") == takes(OWN + tail)


@pytest.mark.parametrize(
    "image",
    [
        "https://example.org/marfa:1",
        "marfa/serve:1",
        "example.org/",
        "example.org/a b",
        "example.org/marfa:",
        "example.org/marfa@sha256:12",
        "example.org/" + "m" * 244,  # 256 in all
        "example.org/marfa\n",
    ],
)
def test_what_is_no_address_is_said_before_anything_is_sent(image):
    with pytest.raises(SettingsError, match="is no address of a container") as caught:
        images.address(image, "eu-west-1")
    assert (caught.value.where, caught.value.exit_code) == ("image", 2)


@pytest.mark.parametrize(
    ("image", "hint"),
    [("pytorch-2.5", "did you mean 'pytorch-2.6'?"), ("", "known: pytorch-2.6"), ("zzz", "known")],
)
def test_a_name_that_is_not_known_has_the_nearest_as_a_hint(image, hint):
    with pytest.raises(SettingsError, match="is no container that is known here") as caught:
        images.address(image, "eu-west-1")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-61, ""),
        (-60, "until 2026-06-30 only, 60 days more"),
        (0, "until 2026-06-30 only, 0 days more"),
        (1, "no security patches since 2026-06-30"),
    ],
)
def test_the_end_of_patches_is_told_sixty_days_before_and_ever_after(days, words):
    found = images.warning("pytorch-2.6", END + timedelta(days=days))
    assert words in found
    assert bool(found) == bool(words)


def test_a_known_container_is_known_by_its_address_too():
    today = date(2026, 11, 24)
    by_name = images.warning("pytorch-2.6", today)
    assert images.warning(images.address("pytorch-2.6", "eu-west-1"), today) == by_name
    assert images.warning(OWN, today) == images.warning("huggingface-2.6", today) == ""


@given(st.text("am0.-/:@_A \n", max_size=40).map("h.b/".__add__) | st.text(max_size=300))
def test_any_text_is_an_address_that_sagemaker_takes_or_refused(image):
    with contextlib.suppress(SettingsError):
        takes(images.address(image, "us-east-1"))
