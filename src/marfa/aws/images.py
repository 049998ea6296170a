"""The containers of AWS's that are known: where each is, what it is for, how long it is patched.

Gathered in November 2026 from AWS's documentation of its deep-learning containers (docs/src/data and
docs/reference/region_availability.md in aws/deep-learning-containers). An image stays available after
its end of patch; nobody mends what is found in it, that is all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from marfa.errors import SettingsError
from marfa.settings.declare import nearest

SOON_DAYS = 60
"""So many days before an image's end of patch it is told."""

LONGEST = 255
"""Characters that SageMaker takes."""

_ADDRESS = re.compile(
    r"(?P<host>[a-z0-9](?:[a-z0-9-]*\.)+[a-z0-9-]+(?::[0-9]+)?)"
    r"/(?P<repository>[a-z0-9._/-]+)"
    r"(?P<version>:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})?"
)
_REGISTRY = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Image:
    """A known container.

    Attributes:
        name: what a user calls it.
        repository: repository and tag.
        purpose: "serve", "train", or "ray" for what serves Ray's applications only.
        patched: last day of security patches; None where AWS gives none.
        note: what else there is to know.
        account: the registry's account where it is not the usual one's of the region.
    """

    name: str
    repository: str
    purpose: str
    patched: date | None = None
    note: str = ""
    account: str = ""


_FULLY = "AWS says that it cannot be patched fully"
_MODEL_SERVER = "TorchServe inside, which nobody maintains any more"

IMAGES = {
    image.name: image
    for image in (
        Image(
            "pytorch-2.6",
            "pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker",
            "serve",
            date(2026, 6, 30),
            _MODEL_SERVER,
        ),
        Image(
            "huggingface-2.6",
            "huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04",
            "serve",
            None,
            "multi-model-server inside",
        ),
        Image(
            "scikit-learn-1.9",
            "sagemaker-scikit-learn:1.9-0",
            "serve",
            date(2027, 7, 16),
            "multi-model-server inside; known in us-east-1 only",
            "683313688378",
        ),
        Image("ray", "ray:serve-ml-sagemaker-cpu-v1", "ray"),
        *(
            Image(
                f"pytorch-{version}{kind}",
                f"pytorch:{version}-{processor}-amzn2023-sagemaker",
                "train",
                patched,
            )
            for version, gpu, patched in (
                ("2.13", "cu133", date(2027, 7, 20)),
                ("2.12", "cu130", date(2027, 7, 2)),
                ("2.11", "cu130", date(2027, 4, 30)),
            )
            for kind, processor in (("", "cpu"), ("-gpu", gpu))
        ),
        Image(
            "pytorch-2.10",
            "pytorch-training:2.10.0-cpu-py313-ubuntu22.04-sagemaker",
            "train",
            date(2027, 1, 21),
            _FULLY,
        ),
    )
}

_USUAL = "763104351884"
REGISTRIES = {
    **dict.fromkeys(
        (
            *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
            *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1"),
            *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2"),
        ),
        _USUAL,
    ),
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-east-2": "975050140332",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ap-southeast-5": "550225433462",
    "ap-southeast-6": "633930458069",
    "ap-southeast-7": "590183813437",
    "ca-west-1": "204538143572",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "mx-central-1": "637423239942",
}
"""Whose registry has AWS's deep-learning containers, by region."""


def address(image: str, region: str, partition: str = "aws", *, purpose: str = "serve") -> str:
    """Return the address that SageMaker fetches a container from.

    Args:
        image: a known name, or the address of one's own, which is checked and returned.
        region: where it will run.
        partition: "aws", or another part of AWS that stands apart.
        purpose: what for: "serve" or "train".

    Raises:
        SettingsError: if it is neither, is not for this, or is not known in this region.

    >>> address("pytorch-2.6", "eu-west-1")
    '763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker'
    """
    if image not in IMAGES:
        return _own(image, purpose)
    known = IMAGES[image]
    if known.purpose != purpose:
        message = f"{image!r} {_WHY[known.purpose]}, so it cannot {purpose} this"
        raise SettingsError(message, where="image", hint=_choice(purpose))
    account = known.account or REGISTRIES.get(region, "")
    if not account or (known.account and region != "us-east-1"):
        message = f"where {image!r} is in {region} is not known here"
        hint = "give its whole address; AWS's documentation of deep-learning containers tells it"
        raise SettingsError(message, where="image", hint=hint)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}/{known.repository}"


_WHY = {
    "serve": "is made for answering, and does not train",
    "train": "is made for training, and answers nothing",
    "ray": "serves applications of Ray's only, and does not call a bundle's functions",
}


def registry(address: str) -> tuple[str, str]:
    """Return the account and the region of a registry of ECR's; both empty for any other.

    >>> registry("123456789012.dkr.ecr.eu-west-1.amazonaws.com/marfa:1")
    ('123456789012', 'eu-west-1')
    """
    found = _REGISTRY.fullmatch(address.partition("/")[0])
    return (found[1], found[2]) if found else ("", "")


def warning(image: str, today: date) -> str:
    """Say what should not be missed about an image; empty if there is nothing.

    Args:
        image: a known name, or an address.
        today: the date.

    >>> warning("pytorch-2.6", date(2026, 11, 24))
    'pytorch-2.6 has had no security patches since 2026-06-30 (TorchServe inside, ...)'
    """
    tail = image.partition("/")[2]
    known = IMAGES.get(image) or next((i for i in IMAGES.values() if i.repository == tail), None)
    if known is None or known.patched is None:
        return ""
    note = f" ({known.note})" if known.note else ""
    days = (known.patched - today).days
    if days < 0:
        return f"{known.name} has had no security patches since {known.patched}{note}"
    if days <= SOON_DAYS:
        return (
            f"{known.name} has security patches until {known.patched} only, {days} days more{note}"
        )
    return ""


_ARM = re.compile(r"ml\.[a-z]+[0-9]+g[a-z]*\.")


def is_of_another_processor(image: str, machine: str) -> bool:
    """Say whether a machine's processor is ARM's, for which none of the known containers is made.

    Args:
        image: a known name, or an address, of which nothing is known.
        machine: such as "ml.m5.large".

    >>> [is_of_another_processor("pytorch-2.6", f"ml.{kind}.xlarge") for kind in ("m6g", "g4dn", "m5")]
    [True, False, False]
    """
    return image in IMAGES and bool(_ARM.match(machine))


def _own(image: str, purpose: str) -> str:
    if "/" not in image:
        message = f"{image!r:.80} is no container that is known here, and no address of one"
        names = [known.name for known in IMAGES.values() if known.purpose == purpose]
        hint = nearest(image, names) or _choice(purpose)
        raise SettingsError(message, where="image", hint=hint)
    if not _ADDRESS.fullmatch(image) or len(image) > LONGEST:
        message = f"{image!r:.80} is no address of a container, such as HOST/REPOSITORY:TAG"
        hint = f"{LONGEST} characters at most, without https://"
        raise SettingsError(message, where="image", hint=hint)
    return image


def _choice(purpose: str) -> str:
    names = ", ".join(name for name, image in IMAGES.items() if image.purpose == purpose)
    return f"known: {names}; or the address of one's own"
