"""Several gateways and connections that want one track at the same moment, in virtual time: one of them gets it."""

import asyncio
from typing import Any

import pytest

from captions.errors import LogError, NotFound
from captions.ports.log import Log, Record
from captions.ports.probe import Probe
from captions.records import AUDIO as AUDIO_TOPIC
from captions.records import CAPTIONS
from captions.track import RoomId
from streamer.sessions.journal import Progress
from tests.streamer.gateways import AUDIO, SAID, gateway_on, opened, send_audio, two_gateways
from tests.support import told

pytestmark = pytest.mark.looptime

HALL = RoomId("hall")


class SlowClaims:
    """A log that takes claims only after ``taken`` is set; ``waiting`` is set once one waits."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.taken = asyncio.Event()
        self.waiting = asyncio.Event()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest of the log
        return getattr(self._log, name)

    async def append(self, topic: str, record: Record) -> int:
        if topic == AUDIO_TOPIC and "claim" in record.headers:
            self.waiting.set()
            await self.taken.wait()
        return await self._log.append(topic, record)


async def test_a_resume_that_comes_too_late_does_not_silence_the_session_that_came_instead() -> None:
    async with two_gateways() as (log, here, there):
        third = gateway_on(log)
        old, _ = await opened(here)
        await send_audio(old, 0, 20_000)
        slow = SlowClaims(log)
        there.sessions._takeover._log = slow
        resuming = asyncio.create_task(opened(there, old.id))
        await slow.waiting.wait()  # it has read how far the old session came
        new, feed = await opened(third, takeover=True)
        slow.taken.set()
        with pytest.raises(NotFound):
            await resuming
        await send_audio(new, 0, len(AUDIO))
        await new.finish()
        await third.pending.settled(HALL.track("main"))
        finals = [caption.text for caption in (await told(log, CAPTIONS)).finals if caption.text]
        await third.close()
    assert not feed.dismissed
    assert new.acknowledged == len(AUDIO)
    assert finals[-3:] == SAID


async def test_of_two_gateways_where_a_track_begins_at_once_one_keeps_it() -> None:
    async with two_gateways() as (_, here, there):
        (_, one), (_, other) = await asyncio.gather(opened(here), opened(there))
        await asyncio.sleep(0.2)
        assert len(here.sessions.held) + len(there.sessions.held) == 1
        assert one.dismissed != other.dismissed


async def test_a_session_of_the_track_that_begins_here_is_not_taken_over_by_an_older_one() -> None:
    async with two_gateways() as (log, here, there):
        old, _ = await opened(here)
        await send_audio(old, 0, 20_000)
        await old.close()  # as if its gateway had died
        await asyncio.sleep(7)
        slow = SlowClaims(log)
        there.sessions._maker._log = slow
        beginning = asyncio.create_task(opened(there))
        await slow.waiting.wait()
        resuming = asyncio.create_task(opened(there, old.id))
        await asyncio.sleep(0.1)
        slow.taken.set()
        new, feed = await beginning
        with pytest.raises(NotFound):
            await resuming
        assert [held.session.id for held in there.sessions.held] == [new.id]
        assert not feed.dismissed


async def test_a_takeover_that_fails_after_its_claim_leaves_nobody_believing_to_hold_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with two_gateways() as (_, here, there):
        session, feed = await opened(here)
        await send_audio(session, 0, 20_000)
        progress = there.sessions._takeover.progress

        async def broken(track: Any, end: int | None = None) -> Progress | None:  # noqa: ANN401 - the track
            if end is not None:
                raise LogError("the partition cannot be read")
            return await progress(track)

        with monkeypatch.context() as patched:
            patched.setattr(there.sessions._takeover, "progress", broken)
            with pytest.raises(LogError):
                await opened(there, session.id)
        await feed.dismissal()
        assert not here.sessions.held
        moved, _ = await opened(there, session.id)
        assert moved.acknowledged >= session.acknowledged


async def test_a_room_that_is_read_again_takes_no_session_away() -> None:
    """Announcements of other gateways are old then."""
    async with two_gateways() as (_, here, there):
        first, _ = await opened(there)
        await first.finish()
        await there.sessions.end(first)
        session, feed = await opened(here)
        await send_audio(session, 0, 20_000)
        reader = here.hub._tails[CAPTIONS, 0]
        assert reader.task is not None
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        here.hub._tails.pop((CAPTIONS, 0))
        await here.hub.open(HALL)
        await asyncio.sleep(0.1)
        assert here.sessions.held
        assert not feed.dismissed


async def test_a_resume_that_cannot_be_announced_locks_no_track(monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_gateways() as (_, here, _there):
        session, feed = await opened(here)
        await here.sessions.lost(session, feed)

        async def broken(*_: object) -> None:
            raise LogError("down")

        with monkeypatch.context() as patched:
            patched.setattr(here.sessions._announcer, "announce", broken)
            with pytest.raises(LogError):
                await opened(here, session.id)
        await asyncio.sleep(100)
        assert not here.sessions.held


async def test_a_session_that_is_resumed_as_its_time_runs_out_goes_on() -> None:
    async with two_gateways() as (_, here, _there):
        session, feed = await opened(here)
        await here.sessions.lost(session, feed)
        here.sessions._finish_in_background(session)  # its time is over
        resumed, again = await opened(here, session.id)
        await asyncio.sleep(1)
        assert resumed.takes_audio
        assert not again.dismissed


async def test_a_drain_goes_on_where_a_session_was_handed_over_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here)
        _, other = await opened(here, track="other")
        never = asyncio.Event()

        async def stuck(_: bytes) -> None:
            await never.wait()

        monkeypatch.setattr(session.decoder, "feed", stuck)
        feeding = asyncio.create_task(session.feed(b"00"))
        await asyncio.sleep(0.1)
        draining = asyncio.create_task(here.drain(5, elsewhere=True))
        await asyncio.sleep(0.1)
        await opened(there, session.id)
        await asyncio.sleep(0.1)
        feeding.cancel()
        await draining
        assert other.dismissed


class Gauge(Probe):
    """Counts sessions that are open."""

    def __init__(self) -> None:
        self.open = 0

    def session_opened(self, tenant: str | None = None) -> None:  # noqa: ARG002 - as the probe has it
        self.open += 1

    def session_closed(self, outcome: str, tenant: str | None = None) -> None:  # noqa: ARG002 - as the probe has it
        self.open -= 1


async def test_a_session_that_is_replaced_at_another_gateway_is_counted_once() -> None:
    async with two_gateways() as (_, here, there):
        there.sessions._probe = gauge = Gauge()
        await opened(here)
        await opened(there, takeover=True)
        assert gauge.open == 1


async def test_a_connection_that_is_given_up_while_the_log_is_full_locks_no_track() -> None:
    async with two_gateways() as (log, here, _there):
        slow = SlowClaims(log)
        here.sessions._maker._log = slow
        beginning = asyncio.create_task(opened(here))
        await slow.waiting.wait()
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        slow.taken.set()
        await asyncio.sleep(100)
        assert not here.sessions.held
