"""Every kind of token, with the real files and signatures, and time that a test sets."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from auth.api_keys import ApiKeys
from auth.authenticator import MOST_REMEMBERED, TokenAuthenticator
from auth.jwt_tokens import JwtSettings, JwtTokens
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from auth.static_tokens import StaticTokens
from captions.access import ANYBODY, Principal, Right
from captions.errors import Unauthorized
from captions.limits import Allowance
from tests.auth.clock import NOW, SetClock

SECRET = "s" * 32
VIEW = frozenset({Right.VIEW})


class Rig:
    """An authenticator with all kinds of tokens."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.file = KeysFile(folder / "keys.json")
        self.key, self.secret = self.create(expires_at=NOW + 1000)
        self.keys = ApiKeys(self.file.path, self.clock)
        self.rooms = RoomTokens(lambda: self.keys.signing_secret, self.clock)
        self.authenticator = TokenAuthenticator(
            self.clock,
            static=StaticTokens({"old": ANYBODY}),
            keys=self.keys,
            rooms=self.rooms,
            jwt=JwtTokens(JwtSettings(secret=SECRET), self.clock),
        )

    def create(self, expires_at: int | None = None) -> tuple[str, str]:
        key, secret = self.file.create(
            NOW, rooms=("main",), rights=VIEW, tenant="acme", name="Ada", expires_at=expires_at
        )
        return key.id, secret

    async def refused(self, token: str | None) -> str:
        with pytest.raises(Unauthorized) as refusal:
            await self.authenticator.authenticate(token)
        return refusal.value.message


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


async def test_each_kind_of_token_lets_its_principal_in(rig: Rig) -> None:
    assert await rig.authenticator.authenticate("old") is ANYBODY
    key = await rig.authenticator.authenticate(rig.secret)
    assert (key.subject, key.tenant, key.rooms, key.rights, key.credential) == (
        "key:Ada", "acme", ("main",), VIEW, rig.key,
    )  # fmt: skip
    room = await rig.authenticator.authenticate(rig.rooms.sign(key, 60).token)
    assert room == replace(key, expires_at=NOW + 60)
    claims = {"sub": "7", "tenant": "acme", "rooms": ["hall-*"], "rights": ["publish", "dance"], "exp": NOW + 60}
    assert await rig.authenticator.authenticate(signed(claims)) == Principal(
        rooms=("hall-*",), rights=frozenset({Right.PUBLISH}), tenant="acme", subject="jwt:7", expires_at=NOW + 60
    )


@pytest.mark.parametrize("token", [None, "", "new", "lck_", "lck_00000000_x", "lct_", "lct_a.b.c", "a.b.c", "é.é.é"])
async def test_no_other_token_lets_anybody_in(rig: Rig, token: str | None) -> None:
    assert "token" in (message := await rig.refused(token)) or "key" in message


async def test_a_key_that_differs_in_its_secret_alone_is_unknown(rig: Rig) -> None:
    assert "unknown" in await rig.refused(rig.secret[:-1] + ("x" if rig.secret[-1] != "x" else "y"))
    assert "unknown" in await rig.refused(f"lck_{rig.key}_")


async def test_a_key_revoked_in_the_file_is_refused_within_two_seconds_and_others_are_not(rig: Rig) -> None:
    other, secret = rig.create()
    token = rig.rooms.sign(await rig.authenticator.authenticate(rig.secret), 600).token
    await rig.authenticator.authenticate(token)
    rig.file.revoke(rig.key, NOW)
    rig.clock.passed += 1
    assert "revoked" in await rig.refused(rig.secret)
    assert "revoked" in await rig.refused(token)
    assert rig.authenticator.revoked(rig.key)
    assert not rig.authenticator.revoked(other)
    assert (await rig.authenticator.authenticate(secret)).credential == other


async def test_a_key_that_is_gone_from_the_file_is_revoked(rig: Rig) -> None:
    token = rig.rooms.sign(await rig.authenticator.authenticate(rig.secret), 600).token
    content = rig.file.read()
    rig.file.path.write_text(content.model_copy(update={"keys": ()}).model_dump_json())
    rig.clock.passed += 1
    assert rig.authenticator.revoked(rig.key)
    assert "unknown" in await rig.refused(rig.secret)
    assert "revoked" in await rig.refused(token)


async def test_a_file_that_cannot_be_read_changes_nothing(rig: Rig) -> None:
    for broken in (lambda: rig.file.path.write_text("{"), rig.file.path.unlink):
        broken()
        rig.clock.passed += 1
        assert (await rig.authenticator.authenticate(rig.secret)).credential == rig.key
        assert not rig.authenticator.revoked(rig.key)


async def test_keys_and_their_tokens_expire(rig: Rig) -> None:
    principal = await rig.authenticator.authenticate(rig.secret)
    short, long = rig.rooms.sign(principal, 60), rig.rooms.sign(principal, 5000)
    assert (short.expires_at, long.expires_at) == (NOW + 60, NOW + 1000)
    await rig.authenticator.authenticate(short.token)
    rig.clock.passed = 60
    assert "expired" in await rig.refused(short.token)
    await rig.authenticator.authenticate(long.token)
    rig.clock.passed = 1000
    assert "expired" in await rig.refused(long.token)
    assert "expired" in await rig.refused(rig.secret)


async def test_a_keys_own_limits_hold_for_its_tokens_and_follow_the_file(rig: Rig) -> None:
    token = rig.rooms.sign(await rig.authenticator.authenticate(rig.secret), 600).token
    assert (await rig.authenticator.authenticate(token)).limits is None
    content = rig.file.read()
    own = Allowance.model_validate({"sessions": 2, "viewers": 0})
    changed = tuple(key.model_copy(update={"limits": own}) for key in content.keys)
    rig.file.path.write_text(content.model_copy(update={"keys": changed}).model_dump_json(exclude_none=True))
    rig.clock.passed += 1
    for each in (rig.secret, token):
        limits = (await rig.authenticator.authenticate(each)).limits
        assert limits == own
        assert Allowance(sessions=1, viewers=5, rooms=3).changed_by(limits) == Allowance(sessions=2, rooms=3)


async def test_a_token_of_another_server_is_refused(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Rig(tmp_path / "other")
    token = other.rooms.sign(await other.authenticator.authenticate(other.secret), 60).token
    assert "not made by this server" in await rig.refused(token)
    assert "unknown" in await rig.refused(other.secret)


async def test_a_secret_that_signs_jwts_cannot_be_used_to_make_room_tokens(rig: Rig) -> None:
    claims = {"sub": "x", "rooms": ["*"], "rights": ["operate"], "exp": NOW + 60}
    only_jwt = TokenAuthenticator(rig.clock, rooms=RoomTokens(lambda: SECRET, rig.clock))
    with pytest.raises(Unauthorized):
        await only_jwt.authenticate("lct_" + signed(claims))


async def test_what_is_remembered_is_bounded_and_verified_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify: Callable[[str], Awaitable[Principal]] = rig.authenticator._verify

    async def counted(token: str) -> Principal:
        verified.append(token)
        return await verify(token)

    monkeypatch.setattr(rig.authenticator, "_verify", counted)
    token = signed({"sub": "7", "exp": NOW + 1000})
    for _ in range(3):
        await rig.authenticator.authenticate(token)
    assert len(verified) == 1
    rig.clock.passed = 60
    await rig.authenticator.authenticate(token)
    assert len(verified) == 2
    for number in range(MOST_REMEMBERED + 10):
        await rig.authenticator.authenticate(signed({"sub": str(number), "exp": NOW + 1000}))
    assert len(rig.authenticator._remembered) == MOST_REMEMBERED


@given(st.text(max_size=80).filter(lambda text: text != "old"))
async def test_text_that_is_no_token_is_refused_and_nothing_else(text: str) -> None:
    clock = SetClock()
    authenticator = TokenAuthenticator(
        clock,
        static=StaticTokens({"old": ANYBODY}),
        rooms=RoomTokens(lambda: SECRET, clock),
        jwt=JwtTokens(JwtSettings(secret=SECRET), clock),
    )
    for token in (text, f"lct_{text}", f"{text}.{text}.{text}", signed({"sub": text, "exp": NOW})[:-4] + text):
        with pytest.raises(Unauthorized):
            await authenticator.authenticate(token)
