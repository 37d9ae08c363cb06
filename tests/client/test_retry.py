import asyncio

import pytest

from livecaptions_client.errors import RefusedError, UnreachableError
from livecaptions_client.retry import GIVE_UP_AFTER, STABLE_AFTER, Retry

pytestmark = pytest.mark.looptime
GONE = ConnectionResetError("gone")


async def losing(retry: Retry, error: Exception, *, flapping: bool = False) -> None:
    while True:
        retry.lost(error)
        await retry.wait()
        if flapping:
            retry.connected()


async def waited(retry: Retry) -> float:
    before = asyncio.get_running_loop().time()
    await retry.wait()
    return asyncio.get_running_loop().time() - before


async def test_a_server_that_was_never_there_is_said_at_once() -> None:
    with pytest.raises(UnreachableError, match=r"^cannot reach here: gone; is it running\?$") as never:
        Retry("here").lost(GONE)
    assert not never.value.reached


async def test_delays_double_and_begin_again_after_a_connection_that_stood() -> None:
    retry = Retry("here")
    retry.connected()
    delays = []
    for _ in range(7):
        retry.lost(GONE)
        delays.append(await waited(retry))
    assert delays == pytest.approx([0.25, 0.5, 1, 2, 4, 5, 5])
    retry.connected()
    await asyncio.sleep(STABLE_AFTER)
    retry.lost(GONE)
    assert await waited(retry) == pytest.approx(0.25)


async def test_it_gives_up_on_what_stays_away_and_on_what_never_stands() -> None:
    for flapping in (False, True):
        retry = Retry("here")
        retry.connected()
        await asyncio.sleep(1000)
        before = asyncio.get_running_loop().time()
        with pytest.raises(UnreachableError, match="has been unreachable for 60 s") as away:
            await losing(retry, GONE, flapping=flapping)
        assert away.value.reached
        assert GIVE_UP_AFTER < asyncio.get_running_loop().time() - before <= GIVE_UP_AFTER + 5


async def test_a_refusal_that_may_pass_is_waited_for_as_long_as_it_asks() -> None:
    retry = Retry("here")
    full = RefusedError("too_many", "full", 10.0)
    retry.lost(full)
    assert await waited(retry) == pytest.approx(10)
    with pytest.raises(RefusedError):
        await losing(retry, full)


async def test_a_quota_that_is_used_up_is_no_reason_to_wait_for_weeks() -> None:
    with pytest.raises(RefusedError) as refused:
        Retry("here").lost(RefusedError("quota_exceeded", "used up", 1_000_000.0))
    assert refused.value.retry_after == 1_000_000.0


async def test_of_several_servers_each_is_tried_in_turn() -> None:
    retry = Retry("a,b")
    assert retry.server == "a"
    retry.lost(GONE)  # the other one may be there
    assert retry.server == "b"
    retry.connected()
    retry.lost(GONE)
    assert retry.server == "a"


async def test_several_servers_of_which_none_is_reached_are_given_up() -> None:
    retry = Retry("a,b")
    retry.lost(GONE)
    with pytest.raises(UnreachableError, match="cannot reach b"):
        retry.lost(GONE)
