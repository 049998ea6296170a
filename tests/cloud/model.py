"""What AWS's own description of its services says about a call: for fakes, which take anything."""

from functools import cache

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator


@cache
def _service(name):
    return botocore.session.Session().get_service_model(name)


@cache
def _operation(service, operation):
    known = {xform_name(name): name for name in _service(service).operation_names}
    assert operation in known, f"{service} has no operation {operation}"
    return _service(service).operation_model(known[operation])


def check(service, operation, params):
    """Fail unless this is a call that boto3 would send: every fake asks this first.

    Args:
        service: as boto3 names it.
        operation: as boto3 names it, such as "create_stack".
        params: what is passed to it.

    >>> check("sts", "get_caller_identity", {})
    >>> check("s3", "head_object", {"Bucket": "b", "key": "k"})
    Traceback (most recent call last):
    AssertionError: s3 head_object: Missing required parameter in input: "Key"
    Unknown parameter in input: "key", must be one of: ...
    """
    shape = _operation(service, operation).input_shape
    if shape is None:
        assert not params, f"{service} {operation} takes nothing"
        return
    found = ParamValidator().validate(params, shape)
    assert not found.has_errors(), f"{service} {operation}: {found.generate_report()}"


def members(service, operation):
    """Return the names of what an operation answers, so that a fake cannot answer with others."""
    shape = _operation(service, operation).output_shape
    return set(shape.members) if shape else set()


def shape(service, name):
    """Return one of the shapes that a service's description is made of, with its limits."""
    return _service(service).shape_for(name)
