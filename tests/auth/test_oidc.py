"""Login with OpenID Connect, against a provider that lies, is down, or changes its keys."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from auth.fetching import TIMEOUT
from auth.jwks import COOLDOWN
from auth.oidc import TIME_TO_LOG_IN, OidcSettings, OpenIdConnect
from auth.oidc_provider import LIFETIME
from captions.access import Principal, Right
from captions.errors import Forbidden, LoginFailed, LoginUnavailable
from tests.auth.provider import CLIENT, ISSUER, SECRET, FakeProvider, forged

BACK = "https://captions.example/login/callback"
RIGHTS = {"rooms": ["hall"], "rights": ["publish", "view", "admin"]}


class Clock:
    """The machine's time, moved forward by a test."""

    moved = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.moved

    def wall(self) -> float:
        return time.time() + self.moved


def login_at(provider: FakeProvider, clock: Clock | None = None, **settings: Any) -> OpenIdConnect:  # noqa: ANN401 - the settings' own
    given = {"issuer": ISSUER, "client_id": CLIENT, "client_secret": SECRET} | settings
    return OpenIdConnect(OidcSettings(**given), clock or Clock(), provider.client)


async def log_in(provider: FakeProvider, login: OpenIdConnect | None = None) -> Principal:
    login = login or login_at(provider)
    begun = await login.begin(BACK)
    return await login.finish(BACK, begun.remembered, provider.log_in(begun.url))


@asynccontextmanager
async def provided(**answers: Any) -> AsyncIterator[FakeProvider]:  # noqa: ANN401 - the fields' own
    provider = FakeProvider(**answers)
    async with provider.client:
        yield provider


async def test_a_user_has_the_rights_that_the_claims_say() -> None:
    async with provided(claims={"sub": "ada-1", "tenant": "acme", **RIGHTS}) as provider:
        assert await log_in(provider) == Principal(
            rooms=("hall",), rights=frozenset({Right.PUBLISH, Right.VIEW}), tenant="acme", subject="oidc:ada-1"
        )


async def test_the_browser_is_sent_with_all_that_protects_the_login() -> None:
    async with provided() as provider:
        begun = await login_at(provider).begin(BACK)
    asked = parse_qs(urlsplit(begun.url).query)
    assert begun.url.startswith(f"{ISSUER}/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [BACK]
    assert asked["client_id"] == [CLIENT]
    assert "openid" in asked["scope"][0].split()
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert SECRET not in begun.url


async def test_claims_may_come_from_userinfo() -> None:
    async with provided(userinfo=RIGHTS) as provider:
        assert (await log_in(provider)).rooms == ("hall",)
        provider.userinfo = RIGHTS | {"sub": "eve-9"}
        with pytest.raises(LoginFailed, match="two different users"):
            await log_in(provider)


@pytest.mark.parametrize(
    ("claims", "operator"),
    [
        ({"email": "ada@example.org", "email_verified": True}, True),
        ({"email": "ada@example.org", "email_verified": False}, False),
        ({"email": "ada@example.org", "email_verified": "true"}, False),
        ({"email": "ada@example.org"}, False),
        ({"email": "ada@example.org.evil.example", "email_verified": True}, False),
        ({"email": "joe@staff.example", "email_verified": True}, True),
        ({"sub": "joe@staff.example"}, False),  # a name is no verified address
        ({"sub": "operator-7"}, True),
        ({"sub": "operator-8"}, False),
    ],
)
async def test_operators_are_listed_by_subject_or_verified_address(claims: dict[str, Any], operator: bool) -> None:
    async with provided(claims={"sub": "ada-1"} | claims) as provider:
        login = login_at(provider, operators=("ada@example.org", "*@staff.example", "operator-7"))
        if operator:
            assert (await log_in(provider, login)).operates
        else:
            with pytest.raises(Forbidden, match="oidc_operators"):
                await log_in(provider, login)


async def test_claims_that_are_not_ours_are_named() -> None:
    async with provided(claims={"sub": "ada-1", "rights": {"view": True}}) as provider:
        with pytest.raises(Forbidden, match="rights"):
            await log_in(provider)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example/other"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},  # without azp
        {"azp": "another-client"},
        {"nonce": "of another login"},
        {"nonce": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"sub": None},
        {"nbf": int(time.time()) + 3600},
        {"at_hash": "of another token"},
    ],
    ids="-".join,
)
async def test_an_id_token_for_somebody_else_is_refused(claims: dict[str, Any]) -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS | claims) as provider:
        with pytest.raises(LoginFailed, match="not valid"):
            await log_in(provider)


async def test_a_signature_counts_only_with_a_published_key_and_a_public_algorithm() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS) as provider:
        login = login_at(provider)
        begun = await login.begin(BACK)
        now = int(time.time())
        nonce = parse_qs(urlsplit(begun.url).query)["nonce"][0]
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": "a", "iat": now, "exp": now + 60, "nonce": nonce} | RIGHTS
        stranger = RSAKey.generate_key(2048, {"kid": str(provider.key.kid)})
        for token in (
            jwt.encode({"alg": "RS256", "kid": stranger.kid}, claims, stranger),
            jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET)),
            forged(claims, {"alg": "none"}),
            forged(claims, {"alg": "none", "kid": provider.key.kid}),
            "no.token.this",
            "",
            None,
        ):
            provider.token = {"id_token": token}
            with pytest.raises(LoginFailed, match="not valid"):
                await login.finish(BACK, begun.remembered, provider.log_in(begun.url))
        provider.token = {}
        assert (await login.finish(BACK, begun.remembered, provider.log_in(begun.url))).rooms == ("hall",)


async def test_an_answer_has_to_belong_to_the_login_that_began() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS) as provider:
        clock = Clock()
        login = login_at(provider, clock)
        mine, other = await login.begin(BACK), await login.begin(BACK)
        answer = provider.log_in(mine.url)
        with pytest.raises(LoginFailed, match="another login"):
            await login.finish(BACK, other.remembered, answer)
        with pytest.raises(LoginFailed, match="another login"):
            await login.finish(BACK, mine.remembered, {"code": answer["code"]})
        by_another = jwt.encode({"alg": "HS256"}, {"state": "", "exp": 2**40}, OctKey.generate_key(256))
        for made_up in ("", "x.y.z", mine.remembered[:-4] + "AAAA", by_another):
            with pytest.raises(LoginFailed, match="did not begin in this browser"):
                await login.finish(BACK, made_up, answer)
        elsewhere = login_at(provider, client_secret="another")
        with pytest.raises(LoginFailed):
            await elsewhere.finish(BACK, mine.remembered, answer)
        assert (await login_at(provider, clock).finish(BACK, mine.remembered, answer)).rooms == ("hall",)
        clock.moved = TIME_TO_LOG_IN
        with pytest.raises(LoginFailed, match="longer than 10 minutes"):
            await login.finish(BACK, mine.remembered, provider.log_in(mine.url))


async def test_a_code_is_good_once_and_for_a_while() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS) as provider:
        login = login_at(provider)
        begun = await login.begin(BACK)
        answer = provider.log_in(begun.url)
        await login.finish(BACK, begun.remembered, answer)
        with pytest.raises(LoginFailed, match="no longer accepts") as again:
            await login.finish(BACK, begun.remembered, answer)
        assert "secret words" not in again.value.message
        provider.code_lifetime = 0
        with pytest.raises(LoginFailed, match="no longer accepts"):
            await log_in(provider)


async def test_a_user_who_declines_is_told_so() -> None:
    async with provided() as provider:
        login = login_at(provider)
        begun = await login.begin(BACK)
        state = provider.log_in(begun.url)["state"]
        for error, says in (("access_denied", "access_denied"), ("<script>", "an error")):
            with pytest.raises(LoginFailed, match=says) as declined:
                await login.finish(BACK, begun.remembered, {"state": state, "error": error})
            assert "<" not in declined.value.message


async def test_a_wrong_secret_is_the_operators_matter() -> None:
    async with provided() as provider:
        with pytest.raises(LoginUnavailable):
            await log_in(provider, login_at(provider, client_secret="wrong"))


async def test_a_client_that_authenticates_in_the_form() -> None:
    metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with provided(claims={"sub": "ada-1"} | RIGHTS, metadata=metadata) as provider:
        assert (await log_in(provider)).rooms == ("hall",)


@pytest.mark.looptime
async def test_a_provider_that_hangs_is_waited_for_briefly() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS) as provider:
        login = login_at(provider)
        begun = await login.begin(BACK)
        answer = provider.log_in(begun.url)
        provider.hangs = True
        loop = asyncio.get_running_loop()
        at = loop.time()
        with pytest.raises(LoginUnavailable):
            await login.finish(BACK, begun.remembered, answer)
        with pytest.raises(LoginUnavailable):
            await login_at(provider).begin(BACK)
        assert loop.time() - at == pytest.approx(2 * TIMEOUT)


@pytest.mark.parametrize("metadata", [{"issuer": "https://other.example"}, {"jwks_uri": None}, {"token_endpoint": 5}])
async def test_metadata_of_another_provider_is_refused(metadata: dict[str, Any]) -> None:
    async with provided(metadata=metadata) as provider:
        with pytest.raises(LoginUnavailable):
            await login_at(provider).begin(BACK)


async def test_a_provider_that_is_down_is_named_and_tried_again() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS, down=True) as provider:
        clock = Clock()
        login = login_at(provider, clock)
        with pytest.raises(LoginUnavailable, match="does not answer") as down:
            await login.begin(BACK)
        assert down.value.retry_after
        provider.down = False
        begun = await login.begin(BACK)
        answer = provider.log_in(begun.url)
        provider.down = True
        with pytest.raises(LoginUnavailable):
            await login.finish(BACK, begun.remembered, answer)
        clock.moved = LIFETIME + 1
        assert (await login.begin(BACK)).url.startswith(ISSUER), "the known metadata stays in use"


async def test_new_keys_of_the_provider_are_fetched_when_they_are_needed() -> None:
    async with provided(claims={"sub": "ada-1"} | RIGHTS) as provider:
        clock = Clock()
        login = login_at(provider, clock)
        for _ in range(3):
            await log_in(provider, login)
        assert provider.requests.count("/keys") == 1
        provider.rotate()
        clock.moved += COOLDOWN + 1
        await log_in(provider, login)
        assert provider.requests.count("/keys") == 2
