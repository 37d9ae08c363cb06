"""Two gateways on one log, in virtual time: what counts where sessions come from the other one."""

import asyncio
from typing import Any

import pytest

from captions.errors import TooMany
from captions.limits import Account, Allowance, Scope
from streamer.limits import Caller
from streamer.usage import Usage
from tests.streamer.gateways import FRAME, gateway_on, opened, send_audio, two_gateways
from tests.support import LoopClock

pytestmark = pytest.mark.looptime


def caller_of(scope: Scope = Scope.KEY, **allowed: float) -> Caller:
    return Caller(((Account(scope, "a"), Allowance.model_validate(allowed)),))


@pytest.mark.parametrize("scope", Scope)
async def test_sessions_that_come_from_another_gateway_count_for_their_account(scope: Scope) -> None:
    caller = caller_of(scope, sessions=2)
    async with two_gateways() as (log, here, there):
        for track in ("a", "b"):
            session, _ = await opened(here, track=track, caller=caller)
            await send_audio(session, 0, FRAME)
            await opened(there, session.id, track=track, caller=caller)
            await asyncio.sleep(0.1)
        session, feed = await opened(here, track="c", caller=caller)
        await send_audio(session, 0, FRAME)
        with pytest.raises(TooMany, match="limit of sessions, 2"):
            await opened(there, session.id, track="c", caller=caller)
        await asyncio.sleep(0.1)
        assert [held.session.id for held in here.sessions.held] == [session.id]
        assert not feed.dismissed
        third = gateway_on(log)
        moved, _ = await opened(third, session.id, track="c", caller=caller)  # it can be resumed elsewhere
        assert moved.id == session.id
        await third.close()


async def test_of_many_sessions_that_come_at_once_no_more_come_in_than_may() -> None:
    caller = caller_of(sessions=2)
    async with two_gateways() as (_, here, there):
        sessions = [(await opened(here, track=f"t{number}"))[0] for number in range(6)]
        coming = [opened(there, session.id, track=session.track.name, caller=caller) for session in sessions]
        came = await asyncio.gather(*coming, return_exceptions=True)
        assert sum(isinstance(one, TooMany) for one in came) == 4
        await asyncio.sleep(0.1)
        assert (len(there.sessions.held), len(here.sessions.held)) == (2, 4)


@pytest.mark.parametrize("limit", ["max_sessions", "max_tracks"])
async def test_a_gateway_takes_twice_its_limit_from_gateways_that_fail_and_begins_no_session_beyond_it(
    limit: str,
) -> None:
    async with two_gateways() as (log, here, _):
        settings: dict[str, Any] = {limit: 2}
        small = gateway_on(log, **settings)
        sessions = [(await opened(here, track=f"t{number}"))[0] for number in range(5)]
        for session in sessions[:4]:
            await opened(small, session.id, track=session.track.name)
        with pytest.raises(TooMany, match=r"\b4 (sessions|tracks)"):
            await opened(small, sessions[4].id, track="t4")
        with pytest.raises(TooMany, match=r"\b2 (sessions|tracks)"):
            await opened(small, track="new")
        await asyncio.sleep(0.1)
        assert [held.session.id for held in here.sessions.held] == [sessions[4].id]
        for held in small.sessions.held[1:]:
            await small.sessions.end(held.session)
        await opened(small, track="new")
        with pytest.raises(TooMany):
            await opened(small, track="newer")
        await small.close()


async def test_a_quota_that_is_used_up_stops_no_session_that_comes_from_another_gateway() -> None:
    async with two_gateways() as (log, here, _):
        session, _ = await opened(here)
        usage = Usage(LoopClock())
        usage.add("key:a", 3600)
        third = gateway_on(log, usage=usage)
        moved, _ = await opened(third, session.id, caller=caller_of(minutes=1))
        assert moved.id == session.id
        await third.close()


@pytest.mark.parametrize("account", [False, True])
async def test_a_takeover_beyond_a_limit_leaves_the_track_to_its_publisher_at_another_gateway(account: bool) -> None:
    caller = caller_of(sessions=1 if account else 0)
    async with two_gateways(max_sessions=50 if account else 1) as (_, here, there):
        session, feed = await opened(here)
        await opened(there, track="own", caller=caller)
        with pytest.raises(TooMany):
            await opened(there, takeover=True, caller=caller)
        await asyncio.sleep(0.1)
        assert [held.session.id for held in here.sessions.held] == [session.id]
        assert not feed.dismissed


async def test_a_takeover_at_a_gateway_that_is_full_replaces_a_session_there() -> None:
    async with two_gateways(max_sessions=1, max_tracks=1) as (_, here, __):
        old, feed = await opened(here)
        new, _ = await opened(here, takeover=True)
        assert feed.dismissed
        assert [held.session.id for held in here.sessions.held] == [new.id] != [old.id]
