import pytest

from auth.static_tokens import StaticTokens
from captions.access import ANYBODY, Principal, Right
from captions.errors import Unauthorized
from captions.ports.authenticator import OpenAccess
from captions.track import RoomId

SPEAKER = Principal(rooms=("hall-*", "main"), rights=frozenset({Right.PUBLISH}), tenant="acme")


async def test_a_listed_token_tells_whose_it_is() -> None:
    assert await StaticTokens({"s3cret": SPEAKER, "other": ANYBODY}).authenticate("s3cret") is SPEAKER


@pytest.mark.parametrize("token", [None, "", "s3cre", "s3cret ", "S3CRET", "sécret"])
async def test_any_other_is_refused(token: str | None) -> None:
    with pytest.raises(Unauthorized):
        await StaticTokens({"s3cret": SPEAKER}).authenticate(token)


async def test_without_tokens_anybody_may_do_everything() -> None:
    anybody = await OpenAccess().authenticate(None)
    for right in Right:
        anybody.require(right, RoomId("main"))
