"""Two gateways on one log, in virtual time: a session continues at the other one."""

import asyncio

import pytest

from captions.access import ANYBODY
from captions.audio import SAMPLE_RATE
from captions.errors import BadRequest, NotFound, ShuttingDown, TrackBusy
from captions.ports.probe import Probe
from captions.records import CAPTIONS
from captions.room_settings import RoomSettings
from captions.stream_options import Encoding
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.sessions.lifecycle import State
from streamer.settings import GatewaySettings
from streamer.web.rest import TrackSummary, live_rooms
from tests.streamer.gateways import AUDIO, PCM, SAID, SCRIPT, gateway_on, opened, send_audio, two_gateways
from tests.support import EnergyDetector, LoopClock, memory_log, terms, told

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("encoding", ["linear16", pytest.param("container", marks=pytest.mark.server)])
async def test_a_track_is_taken_over_from_a_publisher_at_another_gateway(encoding: str) -> None:
    async with two_gateways() as (log, here, there):
        old, feed = await opened(here, encoding=encoding)
        if encoding == "linear16":
            await send_audio(old, 0, 60_000)
        with pytest.raises(TrackBusy, match="takeover=true") as busy:
            await opened(there)
        assert busy.value.retry_after == 6.0
        new, _ = await opened(there, takeover=True)
        assert new.id != old.id
        await asyncio.sleep(0.1)
        assert feed.dismissed
        await send_audio(new, 0, len(AUDIO))
        await new.finish()
        await asyncio.sleep(5)
        finals = (await told(log, CAPTIONS)).finals
        assert [caption.text for caption in finals if caption.text][-3:] == SAID
        assert [caption.utterance for caption in finals] == list(range(len(finals)))


@pytest.mark.parametrize("drained", [False, True])
@pytest.mark.parametrize("seconds", [0.3, 1.5, 3.2, 3.9, 5.0, 7.7])
async def test_a_session_goes_on_at_another_gateway_as_if_nothing_had_happened(seconds: float, drained: bool) -> None:
    async with two_gateways() as (log, here, there):
        session, feed = await opened(here)
        cut = round(seconds * SAMPLE_RATE) * 2
        await send_audio(session, 0, cut)
        if drained:
            await here.drain(0.1, elsewhere=True)
            assert session.state is State.MOVED
            await here.sessions.close()
        moved, _ = await opened(there, session.id)
        assert isinstance(
            await feed.dismissal(), ShuttingDown if drained else TrackBusy
        )  # the first connection releases the session
        assert not here.sessions.held
        assert session.acknowledged <= moved.acknowledged <= cut
        await send_audio(moved, moved.acknowledged, len(AUDIO))
        await moved.finish()
        await there.pending.settled(RoomId("hall").track("main"))
        assert moved.acknowledged == len(AUDIO)
        assert moved.seconds == pytest.approx(len(PCM) / SAMPLE_RATE, abs=0.001)
        finals = (await told(log, CAPTIONS)).finals
        assert [(final.utterance, final.text) for final in finals] == list(enumerate(SAID))


async def test_a_track_that_another_gateway_holds_is_busy_until_it_is_not_heard_of() -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here)
        await send_audio(session, 0, SAMPLE_RATE)
        with pytest.raises(TrackBusy, match="another gateway"):
            await opened(there)
        await asyncio.sleep(30)  # silent, and still held
        with pytest.raises(TrackBusy, match="another gateway"):
            await opened(there)
        await session.close()  # as if its gateway had died
        await asyncio.sleep(6.1)
        fresh, _ = await opened(there)
        assert fresh.listener.next_utterance >= session.listener.next_utterance


async def test_rooms_tell_of_tracks_that_another_gateway_holds_while_it_lives() -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here, speaker="Ada")
        assert await live_rooms(there, ANYBODY) == []  # this gateway does not read the room
        await there.hub.open(RoomId("hall"))
        await send_audio(session, 0, SAMPLE_RATE)
        await asyncio.sleep(20)  # silent, and still held
        (room,) = await live_rooms(there, ANYBODY)
        assert (room.room, room.seconds) == ("hall", 0.0)
        assert room.tracks == [TrackSummary(track="main", speaker="Ada", state="live", seconds=None)]
        (own,) = await live_rooms(here, ANYBODY)
        assert [track.seconds for track in own.tracks] == [session.seconds]
        await session.close()  # as if its gateway had died
        await asyncio.sleep(6.1)
        assert await live_rooms(there, ANYBODY) == []


async def test_a_session_that_ended_or_expired_is_not_found_elsewhere() -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here)
        await send_audio(session, 0, SAMPLE_RATE)
        with pytest.raises(NotFound):
            await opened(there, "another")
        await session.finish()
        await here.sessions.end(session)
        with pytest.raises(NotFound):
            await opened(there, session.id)
        fresh, _ = await opened(there)  # and the track is free
        await fresh.close()
        await asyncio.sleep(61)
        with pytest.raises(NotFound):
            await opened(here, fresh.id)


@pytest.mark.parametrize("encoding", [Encoding.FLOAT32, Encoding.MULAW])
async def test_a_session_goes_on_elsewhere_in_its_own_format_only(encoding: Encoding) -> None:
    async with two_gateways() as (_, here, there):
        session, feed = await opened(here)
        await send_audio(session, 0, SAMPLE_RATE)
        with pytest.raises(BadRequest, match="linear16/16000/1"):
            await opened(there, session.id, encoding=encoding)
        assert not feed.dismissed
        moved, _ = await opened(there, session.id)
        assert moved.id == session.id


async def test_a_session_that_goes_on_elsewhere_need_not_say_its_format_again() -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here, sample_rate=8000, channels=2)
        await send_audio(session, 0, SAMPLE_RATE)
        moved, _ = await opened(there, session.id)
        assert moved.settings.audio == "linear16/8000/2"
        await moved.feed(bytes(32_000))
        await moved.finish()
        assert moved.acknowledged >= 32_000
        assert moved.seconds == pytest.approx(moved.acknowledged / 32_000, abs=0.01)


@pytest.mark.server
async def test_a_container_begins_anew_elsewhere_at_once() -> None:
    async with two_gateways() as (_, here, there):
        session, _ = await opened(here, encoding=Encoding.CONTAINER)
        await asyncio.sleep(1)
        with pytest.raises(NotFound, match="container"):
            await opened(there, session.id, encoding=Encoding.CONTAINER)
        await asyncio.sleep(0.1)
        assert not here.sessions.held
        fresh, _ = await opened(there, encoding=Encoding.CONTAINER)
        assert fresh.id != session.id


async def test_a_gateway_that_begins_to_drain_takes_no_session_over() -> None:
    async with two_gateways() as (log, here, there):
        session, _ = await opened(here)
        await send_audio(session, 0, SAMPLE_RATE * 3)
        taking_over = asyncio.create_task(opened(there, session.id))
        await asyncio.sleep(0)  # lets the gateway read the room
        await there.drain(1, elsewhere=True)
        with pytest.raises(ShuttingDown):
            await taking_over
        third = gateway_on(log)
        moved, _ = await opened(third, session.id)
        await send_audio(moved, moved.acknowledged, len(AUDIO))
        await moved.finish()
        await third.pending.settled(RoomId("hall").track("main"))
        await third.close()
        assert [final.text for final in (await told(log, CAPTIONS)).finals] == SAID


async def test_a_gateway_that_drains_tells_who_comes_back_to_go_elsewhere() -> None:
    async with two_gateways() as (_, here, _there):
        session, _ = await opened(here)
        await here.drain(1, elsewhere=True)
        with pytest.raises(ShuttingDown):  # not NotFound, after which the publisher would begin a new session
            await opened(here, session.id)


@pytest.mark.server
@pytest.mark.looptime(False)  # a container is decoded in a process, which virtual time does not wait for
async def test_a_drain_ends_what_cannot_go_on_elsewhere() -> None:
    async with two_gateways() as (_, here, _there):
        session, _ = await opened(here, encoding=Encoding.CONTAINER)
        other, _ = await opened(here, track="other")
        await send_audio(other, 0, SAMPLE_RATE * 3)
        await here.drain(5, elsewhere=True)
        assert (session.state, other.state) == (State.FINISHED, State.MOVED)
        assert other.listener.open


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_is_said_after_a_pause_was_said_after_it(elsewhere: bool) -> None:
    async with two_gateways() as (log, here, there):
        await asyncio.sleep(5)
        session, _ = await opened(here)
        await asyncio.sleep(7)  # before any speech
        began = LoopClock().wall()
        first = round((SCRIPT[7].end + 0.7) * SAMPLE_RATE) * 2
        await send_audio(session, 0, first)
        await asyncio.sleep(20)
        if elsewhere:
            session, _ = await opened(there, session.id)
            await asyncio.sleep(3)
        await send_audio(session, first, len(AUDIO))
        await session.finish()
        await (there if elsewhere else here).pending.settled(RoomId("hall").track("main"))
        finals = (await told(log, CAPTIONS)).finals
    assert [final.text for final in finals] == SAID
    spoken = [final.started_at.timestamp() - final.start - began for final in finals]
    pause = 23 if elsewhere else 20
    assert spoken == pytest.approx([0, pause, pause], abs=0.5)


class Directory:
    """A RoomDirectory in which every room is German and knows a term."""

    async def settings_of(self, _: RoomId) -> RoomSettings:
        return RoomSettings(language="de", vocabulary=terms("Kubernetes"), model="small")


async def test_what_is_set_for_a_room_counts_where_a_publisher_names_nothing_else() -> None:
    gateway = Gateway(memory_log(), LoopClock(), Probe(), EnergyDetector, GatewaySettings(), rooms=Directory())
    plain, _ = await opened(gateway)
    assert (plain.settings.language, plain.settings.vocabulary, plain.settings.model) == (
        "de",
        terms("Kubernetes"),
        "small",
    )
    own, _ = await opened(gateway, track="other", language="fr", vocabulary="Tonspur")
    assert (own.settings.language, own.settings.vocabulary) == ("fr", terms("Tonspur", "Kubernetes"))
    assert own.settings.languages == ()
    auto, _ = await opened(gateway, track="third", languages="fr,en")
    assert (auto.settings.language, auto.settings.languages) == ("auto", ("fr", "en"))
    assert auto.settings.first_utterance == 0
    await gateway.close()


async def test_a_publishers_endpointing_ends_its_utterances_here_and_at_another_gateway() -> None:
    async with two_gateways() as (log, here, there):
        session, _ = await opened(here, endpointing=2.5)
        first = round((SCRIPT[7].end + 0.7) * SAMPLE_RATE) * 2
        await send_audio(session, 0, first)
        moved, _ = await opened(there, session.id)
        await send_audio(moved, moved.acknowledged, len(AUDIO))
        await moved.finish()
        await there.pending.settled(RoomId("hall").track("main"))
        finals = (await told(log, CAPTIONS)).finals
    assert [final.text for final in finals] == [" ".join(SAID)], "no pause of the script is as long"


async def test_what_a_gateway_writes_that_knows_nothing_of_the_takeover_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was paused: it goes on with its own publisher's audio until it reads that it lost the session."""
    async with two_gateways() as (log, here, there):
        monkeypatch.setattr(here.sessions, "observe", lambda *_: None)
        stale, _ = await opened(here)
        first = round((SCRIPT[7].end + 0.7) * SAMPLE_RATE) * 2
        await send_audio(stale, 0, first)
        moved, _ = await opened(there, stale.id)
        last = round((SCRIPT[16].start - 0.4) * SAMPLE_RATE) * 2
        await asyncio.gather(send_audio(stale, last, len(AUDIO)), send_audio(moved, moved.acknowledged, len(AUDIO)))
        await moved.finish()
        await there.pending.settled(RoomId("hall").track("main"))
        finals = (await told(log, CAPTIONS)).finals
        assert [final.text for final in finals] == SAID
        with pytest.raises(NotFound):
            await opened(there, "another")  # the journal passes over them too
        await there.sessions.end(moved)
        fresh, _ = await opened(there)
        assert fresh.listener.next_utterance == len(SAID)


async def test_a_gateway_that_announces_what_is_no_longer_true_is_corrected() -> None:
    async with two_gateways() as (_, here, there):
        stale, _ = await opened(here)
        await send_audio(stale, 0, SAMPLE_RATE)
        await opened(there, stale.id)
        await asyncio.sleep(0.1)
        assert not here.sessions.held
        await here.sessions._announcer.announce(stale, "away")
        await asyncio.sleep(0.1)
        assert there.hub.room(RoomId("hall")).state.tracks[0].state == "live"
        assert there.sessions.held
