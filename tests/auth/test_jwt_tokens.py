"""Tokens of issuers, signed with real keys."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey

from auth.jwks import COOLDOWN, FETCH_TIMEOUT, LIFETIME, MOST_BYTES, WITHDRAWN, JwksKeys, parse_keys
from auth.jwt_tokens import JwtSettings, JwtTokens
from captions.access import Principal, Right
from captions.errors import Internal, SetupError, Unauthorized
from captions.ports.clock import Clock
from tests.auth.clock import NOW, SetClock
from tests.support import LoopClock

SECRET = "s" * 32
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER = RSAKey.generate_key(2048, {"kid": "other"})
ALGORITHMS: list[tuple[str, RSAKey | ECKey | OKPKey]] = [("RS256", RSA), ("ES256", EC), ("EdDSA", ED), ("Ed25519", ED)]
CLAIMS: dict[str, Any] = {"sub": "7", "rooms": ["main"], "rights": ["view"], "exp": NOW + 600}

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")


def key_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(key: Key, algorithm: str, claims: dict[str, Any] = CLAIMS, **header: str) -> str:
    named = {"kid": key.kid} if key.kid is not None else {}
    return jwt.encode({"alg": algorithm, **named, **header}, claims, key, algorithms=[algorithm])


def rewrite(path: Path, *keys: Key) -> None:
    path.write_text(json.dumps(key_set(*keys)))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "jwks.json"
    rewrite(path, RSA, EC, ED)
    return str(path)


def tokens(jwks: str | None = None, clock: SetClock | None = None, **settings: str) -> JwtTokens:
    return JwtTokens(JwtSettings(secret=SECRET, jwks=jwks, **settings), clock or SetClock())


@pytest.mark.parametrize(("algorithm", "key"), ALGORITHMS)
async def test_each_algorithm_is_verified_with_the_keys_of_a_file(file: str, algorithm: str, key: Key) -> None:
    expected = Principal(rooms=("main",), rights=frozenset({Right.VIEW}), subject="jwt:7", expires_at=NOW + 600)
    assert await tokens(file).principal_of(signed(key, algorithm)) == expected
    token = signed(key, algorithm)
    head, _, signature = token.rpartition(".")
    with pytest.raises(Unauthorized):
        await tokens(file).principal_of(f"{head}.{signature[:-6]}AAAAAA")


@pytest.mark.parametrize(("algorithm", "key"), ALGORITHMS)
async def test_a_file_may_be_one_public_key_in_pem(
    tmp_path: Path, algorithm: str, key: RSAKey | ECKey | OKPKey
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(key.as_pem(private=False))
    assert (await tokens(str(path)).principal_of(signed(key, algorithm))).subject == "jwt:7"


def with_public_key_as_secret() -> str:
    head, _, _ = signed(OctKey.import_key(SECRET), "HS256", kid="rsa").rpartition(".")
    signature = hmac.digest(RSA.as_pem(private=False), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_the_algorithm_follows_from_the_key(file: str) -> None:
    for forged in (
        with_public_key_as_secret(),
        signed(RSA, "RS512"),
        signed(EC, "ES256", kid="rsa"),
        "eyJhbGciOiJub25lIn0." + signed(RSA, "RS256").split(".")[1] + ".",
        signed(OTHER, "RS256", kid="rsa"),
        signed(OTHER, "RS256"),
    ):
        with pytest.raises(Unauthorized):
            await tokens(file).principal_of(forged)
    with pytest.raises(Unauthorized):
        await JwtTokens(JwtSettings(jwks=file), SetClock()).principal_of(signed(OctKey.import_key(SECRET), "HS256"))
    with pytest.raises(Unauthorized):
        await tokens().principal_of(signed(RSA, "RS256"))


def test_secret_keys_in_a_public_set_are_left_out() -> None:
    secret = OctKey.import_key(SECRET).as_dict(private=True)
    assert len(parse_keys(json.dumps({"keys": [secret, *key_set(RSA)["keys"]]}))) == 1
    with pytest.raises(SetupError, match="no key that verifies"):
        parse_keys(json.dumps({"keys": [secret]}))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"keys": 5}', '{"keys": [{"kty": "RSA"}]}', "-----BEGIN X-----"])
def test_a_file_that_is_no_key_set_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(text)
    with pytest.raises(SetupError, match=r"jwks\.json"):
        tokens(str(path))
    with pytest.raises(SetupError, match="cannot read the key set"):
        tokens(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": NOW - 10}, "expired"),
        ({"exp": NOW - 9}, None),
        ({"exp": None}, "exp is required"),
        ({"exp": "tomorrow"}, "exp is required"),
        ({"exp": True}, "exp is required"),
        ({"nbf": NOW + 11}, "not valid yet"),
        ({"nbf": NOW + 10}, None),
        ({"nbf": "x"}, "nbf"),
        ({"aud": "us"}, "audience"),
        ({"rooms": 5}, "rooms: has to be a list"),
        ({"rooms": "main hall-*,side"}, None),
        ({"rights": [5]}, "rights.0: has to be text"),
        ({"tenant": "a/b"}, "tenant: has to be 1 to 64"),
        ({"sub": "x" * 201}, "sub: has to be at most 200"),
        ({"sub": None}, "sub: has to be text"),
        ({"rooms": None}, "rooms"),
    ],
)
async def test_claims_are_checked(claims: dict[str, Any], message: str | None) -> None:
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if name != "exp" or value is not None}
    token = signed(OctKey.import_key(SECRET), "HS256", given)
    if message is None:
        await tokens().principal_of(token)
        return
    with pytest.raises(Unauthorized, match=message):
        await tokens().principal_of(token)


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"iss": "https://id", "aud": "us"}, True),
        ({"iss": "https://id", "aud": ["them", "us"]}, True),
        ({"iss": "https://id/", "aud": "us"}, False),
        ({"iss": "https://id", "aud": "them"}, False),
        ({"iss": "https://id"}, False),
        ({"aud": "us"}, False),
        ({"iss": ["https://id"], "aud": {"us": 1}}, False),
    ],
)
async def test_issuer_and_audience_are_those_of_the_settings(claims: dict[str, Any], accepted: bool) -> None:
    verifier = tokens(issuer="https://id", audience="us")
    token = signed(OctKey.import_key(SECRET), "HS256", {**CLAIMS, **claims})
    if accepted:
        assert (await verifier.principal_of(token)).subject == "jwt:7"
    else:
        with pytest.raises(Unauthorized):
            await verifier.principal_of(token)


async def test_a_token_with_no_rooms_and_rights_may_do_nothing() -> None:
    principal = await tokens().principal_of(signed(OctKey.import_key(SECRET), "HS256", {"exp": NOW + 5}))
    assert (principal.rooms, principal.rights) == ((), frozenset())


class Issuer:
    """Serves a key set, counts how often, and may be down or slow."""

    def __init__(self, clock: Clock) -> None:
        self.keys: list[Key] = [RSA]
        self.asked = 0
        self.answer: Callable[[], httpx.Response] | None = None
        self.delay = 0.0
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        self.jwks = JwksKeys("https://id/jwks", clock, client)
        self.tokens = JwtTokens(JwtSettings(), clock, self.jwks)

    async def _handle(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(self.delay)
        return self.answer() if self.answer else httpx.Response(200, json=key_set(*self.keys))

    async def accepts(self, key: Key = RSA) -> bool:
        try:
            await self.tokens.principal_of(signed(key, "RS256", {**CLAIMS, "exp": NOW + 10_000}))
        except Unauthorized:
            return False
        return True


async def test_keys_of_an_address_are_fetched_once_and_again_when_they_are_old() -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    assert issuer.asked == 0
    assert all(await asyncio.gather(*(issuer.accepts() for _ in range(20))))
    assert issuer.asked == 1
    clock.passed = LIFETIME + 1
    issuer.keys = [OTHER]
    assert await issuer.accepts()  # the old keys, while the new ones are fetched
    await asyncio.sleep(0.01)
    assert issuer.asked == 2
    assert not await issuer.accepts()
    assert await issuer.accepts(OTHER)


async def test_a_new_key_is_fetched_when_a_token_names_it_but_no_storm_is_made() -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    await issuer.accepts()
    issuer.keys = [RSA, OTHER]
    assert not await issuer.accepts(OTHER)  # asked just now
    assert issuer.asked == 1
    clock.passed += COOLDOWN
    assert await issuer.accepts(OTHER)
    for _ in range(50):
        await issuer.accepts(RSAKey.import_key(RSA.as_dict(private=True), {"kid": "made-up"}))
    assert issuer.asked == 2


def down() -> httpx.Response:
    raise httpx.ConnectError("nobody there")


@pytest.mark.parametrize(
    "answer",
    [
        down,
        lambda: httpx.Response(503),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(200, content=b" " * (MOST_BYTES + 1)),
    ],
)
async def test_an_issuer_that_is_down_is_our_fault_at_first_and_then_the_known_keys_stay(
    answer: Callable[[], httpx.Response],
) -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    issuer.answer = answer
    with pytest.raises(Internal, match="cannot be fetched") as refusal:
        await issuer.accepts()
    assert refusal.value.retry_after == 5
    issuer.answer = None
    clock.passed += COOLDOWN
    assert await issuer.accepts()
    issuer.answer = answer
    clock.passed += LIFETIME + 1
    assert await issuer.accepts()
    await asyncio.sleep(0.01)
    assert issuer.asked == 3
    assert await issuer.accepts()


async def test_after_a_long_quiet_time_a_key_that_was_withdrawn_lets_nobody_in() -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    await issuer.accepts()
    issuer.keys = [OTHER]
    clock.passed = WITHDRAWN + 1
    assert not await issuer.accepts()
    clock.passed += WITHDRAWN + 1
    issuer.answer = down
    assert await issuer.accepts(OTHER)  # nobody can tell, so the known keys stay
    asked = issuer.asked
    assert await issuer.accepts(OTHER)
    assert issuer.asked == asked  # nobody waits again at once


@pytest.mark.looptime
async def test_an_issuer_that_does_not_answer_is_waited_for_briefly() -> None:
    issuer = Issuer(LoopClock())
    issuer.delay = 3600
    began = asyncio.get_running_loop().time()
    with pytest.raises(Internal):
        await issuer.accepts()
    assert asyncio.get_running_loop().time() - began == pytest.approx(FETCH_TIMEOUT)


async def test_keys_in_a_file_that_changes_are_read_again(file: str) -> None:
    clock = SetClock()
    verifier = tokens(file, clock)
    rewrite(Path(file), OTHER)
    clock.passed = COOLDOWN
    assert (await verifier.principal_of(signed(OTHER, "RS256"))).subject == "jwt:7"


async def test_a_key_set_of_an_issuer_is_read_as_published() -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    published = KeySet([RSA, EC]).as_dict(private=False)
    published["keys"][0] |= {"use": "enc"}
    issuer.answer = lambda: httpx.Response(200, json=published)
    assert not await issuer.accepts()
