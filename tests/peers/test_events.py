"""What the rehearsed gateway hands to a function is what AWS's own library for functions reads."""

from datetime import UTC, datetime

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model
from pydantic import ValidationError
from tests.peers import asked

from marfa import bundle, loading
from marfa.rehearsal import events
from marfa.rehearsal.loopback import Asked

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def written(request):
    """The event of a request."""
    named = {"Content-Type": request.content_type, "Accept": request.accept}
    headers = tuple((name, value) for name, value in named.items() if value)
    over_the_line = Asked(request.method, request.path, headers, request.body)
    return events.http(over_the_line, events.Place(), NOW)


@pytest.mark.parametrize("path", ["model_path", "writer_path"])
def test_every_event_is_one_and_says_what_was_asked(path, request):
    model = loading.of(bundle.load(request.getfixturevalue(path)), engine="numpy")
    for _, each in asked.of(model):
        event = written(each)
        APIGatewayProxyEventV2Model.model_validate(event)
        read = APIGatewayProxyEventV2(event)
        assert (read.http_method, read.path) == (each.method, each.path)
        # it reads a body as text, which these need not be
        if not each.body:
            assert read.body is None
        elif not read.is_base64_encoded or each.body.isascii():
            assert read.decoded_body.encode() == each.body
        for name, value in (("Content-Type", each.content_type), ("Accept", each.accept)):
            assert read.headers.get(name, "") == value


@pytest.mark.parametrize("missing", ["rawPath", "requestContext", "headers", "routeKey"])
def test_the_library_tells_what_is_none(missing):
    event = written(next(iter(asked.questions.judging())))
    del event[missing]
    with pytest.raises(ValidationError):
        APIGatewayProxyEventV2Model.model_validate(event)
