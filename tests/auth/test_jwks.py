"""The keys of an issuer: fetched, renewed and withdrawn."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import Key, KeySet, RSAKey

from auth.fetching import MOST_BYTES, TIMEOUT
from auth.jwks import COOLDOWN, LIFETIME, WITHDRAWN, JwksKeys
from auth.jwt_tokens import JwtSettings, JwtTokens
from captions.errors import Internal, Unauthorized
from captions.ports.clock import Clock
from tests.auth.clock import NOW, SetClock
from tests.auth.issuing import CLAIMS, EC, OTHER, RSA, key_set, rewrite, signed
from tests.support import LoopClock


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
    assert asyncio.get_running_loop().time() - began == pytest.approx(TIMEOUT)


async def test_keys_in_a_file_that_changes_are_read_again(tmp_path: Path) -> None:
    clock, file = SetClock(), tmp_path / "jwks.json"
    rewrite(file, RSA)
    verifier = JwtTokens(JwtSettings(jwks=str(file)), clock)
    rewrite(file, OTHER)
    clock.passed = COOLDOWN
    assert (await verifier.principal_of(signed(OTHER, "RS256"))).subject == "jwt:7"


async def test_a_key_set_of_an_issuer_is_read_as_published() -> None:
    clock = SetClock()
    issuer = Issuer(clock)
    published = KeySet([RSA, EC]).as_dict(private=False)
    published["keys"][0] |= {"use": "enc"}
    issuer.answer = lambda: httpx.Response(200, json=published)
    assert not await issuer.accepts()
