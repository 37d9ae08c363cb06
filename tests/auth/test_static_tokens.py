import pytest

from auth.static_tokens import StaticTokens
from captions.access import ANYBODY, Principal, Right

SPEAKER = Principal(rooms=("hall-*", "main"), rights=frozenset({Right.PUBLISH}), tenant="acme")


def test_a_listed_token_has_its_principal() -> None:
    assert StaticTokens({"s3cret": SPEAKER, "other": ANYBODY}).principal_of("s3cret") is SPEAKER


@pytest.mark.parametrize("token", ["", "s3cre", "s3cret ", "S3CRET", "ä"])
def test_any_other_token_has_none(token: str) -> None:
    assert StaticTokens({"s3cret": SPEAKER}).principal_of(token) is None
