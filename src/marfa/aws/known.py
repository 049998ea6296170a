"""What boto3 knows of AWS by itself: descriptions that came with it, for which nobody is asked."""

from __future__ import annotations

from functools import cache
from typing import Any

INSTANCE_TYPES = ("sagemaker", "ProductionVariantInstanceType")
TRAINING_TYPES = ("sagemaker", "TrainingInstanceType")
TRANSFORM_TYPES = ("sagemaker", "TransformInstanceType")
"""The shapes that list the machines of endpoints, of training jobs, and of transform jobs."""


@cache
def choices(service: str, shape: str) -> tuple[str, ...]:
    """Return the values that a service takes somewhere.

    Args:
        service: as boto3 names it.
        shape: the name of that place in the service's description.

    >>> "ml.t2.medium" in choices(*INSTANCE_TYPES)
    True
    """
    from botocore.loaders import create_loader

    described: dict[str, Any] = create_loader().load_service_model(service, "service-2")
    return tuple(described["shapes"][shape]["enum"])


@cache
def regions(service: str = "s3") -> tuple[str, ...]:
    """Return the regions that a service is known to be in, those of all parts of AWS.

    >>> {"eu-west-1", "cn-north-1"} <= set(regions())
    True
    """
    import botocore.session

    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    found = (session.get_available_regions(service, each) for each in partitions)
    return tuple(sorted(region for listed in found for region in listed))
