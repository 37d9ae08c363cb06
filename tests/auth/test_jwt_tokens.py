"""Tokens of issuers, signed with real keys."""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from auth.jwks import parse_keys
from auth.jwt_tokens import JwtSettings, JwtTokens
from captions.access import Principal, Right
from captions.errors import SetupError, Unauthorized
from tests.auth.clock import NOW, SetClock
from tests.auth.issuing import ALGORITHMS, CLAIMS, EC, ED, OTHER, RSA, SECRET, key_set, rewrite, signed

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")


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
