"""The door to AWS: every failure leaves as an error that says what to type, with the right exit code."""

import pytest
from botocore import exceptions
from tests.cloud.aws import account, bed

from marfa.aws.client import Cloud, _failed, _refused
from marfa.errors import (
    CloudError,
    CredentialsError,
    GoneError,
    NetworkError,
    NotPermittedError,
    QuotaError,
    SettingsError,
)

__all__ = ["account", "bed"]


def refused(code, words="", status=400):
    response = {
        "Error": {"Code": code, "Message": words},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return _refused("s3", "put_object", response)


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [
        ("ExpiredToken", CredentialsError, 5),
        ("InvalidClientTokenId", CredentialsError, 5),
        ("SignatureDoesNotMatch", CredentialsError, 5),
        ("AccessDenied", NotPermittedError, 5),
        ("AccessDeniedException", NotPermittedError, 5),
        ("UnauthorizedOperation", NotPermittedError, 5),
        ("403", NotPermittedError, 5),
        ("NoSuchBucket", GoneError, 5),
        ("404", GoneError, 5),
        ("ResourceNotFoundException", GoneError, 5),
        ("ServiceQuotaExceededException", QuotaError, 5),
        ("ResourceLimitExceeded", QuotaError, 5),
        ("Throttling", NetworkError, 4),
        ("TooManyRequestsException", NetworkError, 4),
        ("SlowDown", NetworkError, 4),
        ("InternalError", NetworkError, 4),
        ("InvalidParameterValue", CloudError, 5),
    ],
)
def test_what_aws_refuses_has_its_kind_and_its_exit_code(code, kind, exit_code):
    error = refused(code, "some words", 500 if code == "InternalError" else 400)
    assert type(error) is kind
    assert error.exit_code == exit_code
    assert error.where == "s3:put_object"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Stack with id marfa-soup-live does not exist", GoneError),
        ('Could not find endpoint "arn:aws:sagemaker:x"', GoneError),
        ("1 validation error detected", CloudError),
    ],
)
def test_what_is_not_there_is_told_from_what_is_wrong(words, kind):
    assert type(refused("ValidationError", words)) is kind


@pytest.mark.parametrize(
    "error",
    [
        exceptions.EndpointConnectionError(endpoint_url="https://s3", error="no route"),
        exceptions.ConnectTimeoutError(endpoint_url="https://s3"),
        exceptions.ReadTimeoutError(endpoint_url="https://s3"),
        exceptions.ConnectionClosedError(endpoint_url="https://s3"),
        exceptions.SSLError(endpoint_url="https://s3", error="a bad certificate"),
        exceptions.ProxyConnectionError(proxy_url="http://proxy"),
        exceptions.HTTPClientError(error="something"),
    ],
)
def test_a_line_that_fails_exits_4_and_says_to_run_again(error):
    found = _failed("s3", "put_object", error)
    assert type(found) is NetworkError
    assert "run the same command again" in found.hint


def test_what_is_no_answer_of_aws_is_taken_for_a_bad_line():
    from botocore.parsers import ResponseParserError

    found = _failed("s3", "put_object", ResponseParserError("<html>Welcome to the hotel</html>"))
    assert type(found) is NetworkError
    assert "hotel's network" in found.what


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """No credentials and no configuration anywhere."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_no_credentials_say_how_to_have_some(nobody):
    with pytest.raises(CredentialsError) as caught:
        _ = Cloud("eu-west-1").account
    assert "aws configure" in caught.value.hint


def test_no_region_says_how_to_name_one(nobody):
    with pytest.raises(SettingsError) as caught:
        Cloud()
    assert "--region" in caught.value.hint


@pytest.mark.parametrize("region", ["mars", "eu_west_1", "EU-WEST-1 ", "../eu", "x" * 300])
def test_a_region_that_is_none_is_refused_before_anybody_is_asked(nobody, region):
    with pytest.raises(SettingsError, match="is no region"):
        Cloud(region)


def test_a_profile_that_is_none_is_refused(nobody):
    with pytest.raises(SettingsError, match="nope"):
        Cloud("eu-west-1", "nope")


def test_the_account_is_asked_once(bed):
    cloud = bed.cloud()
    assert {cloud.account for _ in range(3)} == {"123456789012"}
    assert cloud.caller.startswith("arn:aws")
    assert cloud.partition == "aws"


def test_an_answer_that_names_a_user_text_is_never_made_up_by_us(bed):
    with pytest.raises(GoneError) as caught:
        bed.cloud().call("cloudformation", "describe_stacks", StackName="soup")
    assert "soup" in str(caught.value)
