"""Publishing, as docs/protocol.md describes it."""

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from captions.audio import from_bytes, to_bytes
from captions.caption import CaptionId
from captions.errors import LogError
from captions.ports.log import Record
from captions.ports.probe import Probe
from captions.records import AUDIO as AUDIO_TOPIC
from captions.track import RoomId
from inference.engine.scripted import ScriptedWord
from tests.streamer.speaking import AUDIO, END, PCM, SAID, SCRIPT, refused, send, text_of
from tests.streamer.system import Conversation, principal, running
from tests.support import script_of

pytestmark = pytest.mark.server


class Counting(Probe):
    """A probe that records refusals."""

    def __init__(self) -> None:
        self.refusals: list[str] = []

    def refused(self, code: str) -> None:
        self.refusals.append(code)


async def test_a_stream_is_acknowledged_captioned_and_done() -> None:
    async with running(SCRIPT) as system, system.publisher(speaker="Ada", track="stage") as socket:
        talk = Conversation(socket)
        ready = await talk.next()
        assert ready == {**ready, "type": "ready", "room": "hall", "track": "stage", "offset": 0, "resumable": True}
        await send(talk, AUDIO)
        await socket.send(END)
        code, heard = await talk.rest()
    assert code == 1000
    assert heard[-1] == {"type": "done", "offset": len(AUDIO), "seconds": pytest.approx(len(PCM) / 16_000, abs=0.001)}
    assert text_of(heard) == SAID
    offsets = [ack["offset"] for ack in talk.all("ack")]
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(AUDIO)
    assert {m["speaker"] for m in talk.all("caption")} == {"Ada"}


async def test_acknowledgements_come_while_audio_flows_and_never_run_ahead_of_the_log() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO[: 32_000 * 2])
        ack = await talk.of("ack")
        while ack["offset"] < 32_000:
            ack = await talk.of("ack")
        assert ack["offset"] <= 32_000 * 2


async def test_an_empty_name_is_no_name() -> None:
    async with running(SCRIPT) as system, system.publisher(speaker="") as socket:
        await Conversation(socket).next()
        assert [held.session.settings.speaker for held in system.gateway.sessions.held] == [None]


async def test_finalize_ends_the_utterance_now() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO[:40_000])
        await socket.send('{"type":"finalize"}')
        final = await talk.next(lambda m: m["type"] == "caption" and m["final"])
        assert final["utterance"] == 0
        await socket.send('{"type":"keepalive","muted":true}')
        await send(talk, AUDIO[40_000:])
        await socket.send(END)
        code, heard = await talk.rest()
    assert code == 1000
    assert len(text_of(heard).split()) >= len(SCRIPT)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"track": "no%20spaces"}, "track"),
        ({"encoding": "opus"}, "encoding"),
        ({"sample_rate": 7999}, "sample_rate"),
        ({"sample_rate": 48001}, "sample_rate"),
        ({"sample_rate": "fast"}, "sample_rate"),
        ({"channels": 0}, "channels"),
        ({"language": "klingon!"}, "language"),
        ({"languages": "de,auto"}, "languages"),
        ({"speaker": "x" * 81}, "speaker"),
        ({"speaker": "a%1Bb"}, "speaker"),
        ({"vocabulary": "x" * 51}, "vocabulary"),
    ],
)
async def test_a_wrong_parameter_is_refused_before_the_upgrade(query: dict[str, Any], names: str) -> None:
    async with running(SCRIPT) as system:
        status, body, _ = await refused(system, **query)
    assert (status, body["code"]) == (400, "bad_request")
    assert names in str(body["message"])


async def test_a_wrong_room_and_too_many_terms_are_refused_and_unknown_parameters_ignored() -> None:
    async with running(SCRIPT) as system:
        assert (await refused(system, "-hall"))[1]["code"] == "bad_request"
        many = "a&vocabulary=" + "&vocabulary=".join("b" * 100)
        assert (await refused(system, vocabulary=many))[1]["code"] == "bad_request"
        async with system.publisher(whatever="1", vocabulary="log&vocabulary=spine") as socket:
            assert (await Conversation(socket).next())["type"] == "ready"


@pytest.mark.parametrize(
    ("frame", "code", "close"),
    [
        ("{", "bad_request", 1008),
        ('{"type":"stop"}', "bad_request", 1008),
        (bytes(65 * 1024), "too_large", 1009),
        ('{"type":"keepalive","filler":"' + "x" * 65_536 + '"}', "too_large", 1009),
    ],
)
async def test_a_wrong_message_is_refused_and_the_track_is_free_again(
    frame: str | bytes, code: str, close: int
) -> None:
    async with running(SCRIPT) as system:
        async with system.publisher() as socket:
            talk = Conversation(socket)
            await talk.next()
            await socket.send(frame)
            closed, heard = await talk.rest()
        assert (heard[-1]["code"], closed) == (code, close)
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["type"] == "ready"


async def test_bytes_that_are_not_what_encoding_says_are_refused_and_what_was_said_is_kept() -> None:
    async with running(SCRIPT) as system:
        async with system.publisher(encoding="container") as socket:
            talk = Conversation(socket)
            await talk.next()
            await socket.send(b"no container at all" * 1000)
            await socket.send(END)
            closed, heard = await talk.rest()
        assert (heard[-1]["code"], closed) == ("unsupported_audio", 1003)


async def test_a_bad_sample_costs_nothing_but_itself() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO + b"\x00")
        await socket.send(END)
        closed, heard = await talk.rest()
        assert closed == 1000
        assert text_of(heard) == SAID
        [told] = talk.all("warning")
        assert told["code"] == "incomplete_sample"
        [listed] = heard[-1]["warnings"]
        assert listed == {"code": told["code"], "message": told["message"]}
        assert heard[-1]["offset"] == len(AUDIO) + 1
    floats = from_bytes(AUDIO).astype("<f4") / 32768
    floats[100] = np.nan
    async with running(SCRIPT) as system, system.publisher(encoding="float32") as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, floats.tobytes(), 64_000)
        await socket.send(END)
        closed, heard = await talk.rest()
        assert closed == 1000
        assert text_of(heard) == SAID
        assert [told["code"] for told in heard[-1]["warnings"]] == ["not_finite"]


async def test_captions_of_what_was_right_come_before_the_refusal_of_what_was_not() -> None:
    floats = from_bytes(AUDIO).astype("<f4") / 32768
    async with running(SCRIPT) as system, system.publisher(encoding="float32") as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, floats.tobytes(), 64_000)
        await send(talk, np.full(len(floats), np.nan, "<f4").tobytes(), 64_000)
        closed, heard = await talk.rest()
        assert (heard[-1]["code"], closed) == ("unsupported_audio", 1003)
        assert text_of(heard) == SAID


async def test_audio_that_cannot_be_acknowledged_is_refused() -> None:
    async with running(SCRIPT, max_unacknowledged=200_000) as system:
        async with system.publisher(encoding="container") as socket:
            talk = Conversation(socket)
            await talk.next()
            header = b"RIFF\xff\xff\xff\xffWAVE" + b"junk" + (10**8).to_bytes(4, "little")
            await socket.send(header + bytes(40_000))
            for _ in range(5):
                await socket.send(bytes(60_000))
            closed, heard = await talk.rest()
        assert (heard[-1]["code"], closed) == ("too_large", 1009)
        assert "send a container that can be decoded while it arrives" in heard[-1]["message"]


async def test_a_second_publisher_is_told_that_the_track_is_busy() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        await Conversation(socket).next()
        status, body, _ = await refused(system)
        assert (status, body["code"]) == (409, "track_busy")
        async with system.publisher(track="other") as other:
            assert (await Conversation(other).next())["type"] == "ready"


async def test_a_lost_publisher_resumes_at_the_acknowledged_byte_and_nothing_is_lost() -> None:
    async with running(SCRIPT) as system, system.viewer(partials="false") as watching:
        view = Conversation(watching)
        async with system.publisher() as socket:
            talk = Conversation(socket)
            session = (await talk.next())["session"]
            await send(talk, AUDIO[:70_000])
            await talk.of("ack")
            socket.transport.abort()
        assert (await view.next(lambda m: m.get("state") == "away"))["track"] == "main"
        assert (await refused(system, session="nobody"))[0] == 404
        assert (await refused(system, session=session, track="other"))[0] == 404
        async with system.publisher(session=session) as socket:
            again = Conversation(socket)
            ready = await again.next()
            assert ready["session"] == session
            assert talk.all("ack")[-1]["offset"] <= ready["offset"] <= 70_000
            await send(again, AUDIO[ready["offset"] :])
            await socket.send(END)
            code, _ = await again.rest()
        assert code == 1000
        finals = [await view.next(lambda m: m.get("final") is True) for _ in range(2)]
        assert " ".join(final["text"] for final in finals) == SAID
        assert (await refused(system, session=session))[1]["code"] == "not_found"


@pytest.mark.parametrize("talking", [False, True])
async def test_a_frame_larger_than_the_server_reads_ends_the_session(
    talking: bool, caplog: pytest.LogCaptureFixture
) -> None:
    probe = Counting()
    async with running(SCRIPT, probe=probe) as system, system.viewer() as watching:
        async with system.publisher() as socket:
            talk = Conversation(socket)
            await talk.next()
            if talking:
                await send(talk, AUDIO[:40_000])
            with suppress(ConnectionClosed):
                await socket.send(bytes(1024 * 1024 + 1))
            closed, _ = await talk.rest()
        assert closed in {1009, 1006}  # the rest of the frame may arrive after the close
        await Conversation(watching).next(lambda m: m.get("state") == "ended")
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["type"] == "ready"
    assert probe.refusals == ["too_large"]
    assert "failed" not in caplog.text


@pytest.mark.parametrize("query", [{"encoding": "float32"}, {"sample_rate": 8000}, {"channels": 2}])
async def test_a_session_is_resumed_in_the_format_in_which_it_began(query: dict[str, Any]) -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        session = (await Conversation(socket).next())["session"]
        status, body, _ = await refused(system, session=session, **query)
        assert (status, body["code"]) == (400, "bad_request")
        assert "linear16/16000/1" in str(body["message"])
        async with system.publisher(session=session) as again:
            assert (await Conversation(again).next())["session"] == session


async def test_resuming_takes_over_from_a_connection_that_hangs() -> None:
    async with running(SCRIPT) as system, system.publisher() as old:
        hung = Conversation(old)
        session = (await hung.next())["session"]
        async with system.publisher(session=session) as new:
            assert (await Conversation(new).next())["session"] == session
            code, heard = await hung.rest()
        assert (heard[-1]["code"], code) == ("track_busy", 1008)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_publisher_that_closes_without_end_has_ended(code: int) -> None:
    async with running(SCRIPT, close_window=0.2) as system, system.viewer() as watching:
        view = Conversation(watching)
        async with system.publisher() as socket:
            await Conversation(socket).next()
            await send(Conversation(socket), AUDIO[:60_000])
            await socket.close(code)
        final = await view.next(lambda m: m.get("final") is True)
        assert final["text"].startswith(SCRIPT[0].text)
        await view.next(lambda m: m.get("state") == "ended")
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["offset"] == 0


async def test_a_publisher_that_closed_may_still_resume_for_a_moment() -> None:
    async with running(SCRIPT, close_window=30.0) as system:
        async with system.publisher() as socket:
            session = (await Conversation(socket).next())["session"]
        async with system.publisher(session=session) as socket:
            assert (await Conversation(socket).next())["session"] == session


async def test_a_newcomer_is_told_when_the_track_of_a_lost_publisher_is_free() -> None:
    async with running(SCRIPT) as system, system.viewer() as watching:
        async with system.publisher() as socket:
            await Conversation(socket).next()
            status, body, retry = await refused(system)
            assert (status, body["code"], retry) == (409, "track_busy", None)
            socket.transport.abort()
        await Conversation(watching).next(lambda m: m.get("state") == "away")
        status, body, retry = await refused(system)
        assert (status, body["code"]) == (409, "track_busy")
        assert 50 < float(str(body["retry_after"])) <= 60
        assert retry == str(body["retry_after"]).removesuffix(".0")
        assert "takeover=true" in str(body["message"])


@pytest.mark.parametrize("lost", [False, True])
async def test_a_newcomer_may_take_a_track_over_and_the_old_publisher_is_told(lost: bool) -> None:
    async with running(SCRIPT) as system, system.viewer(partials="false") as watching:
        view = Conversation(watching)
        async with system.publisher() as socket:
            old = Conversation(socket)
            session = (await old.next())["session"]
            await send(old, AUDIO[:70_000])
            await old.of("ack")
            if lost:
                socket.transport.abort()
                await view.next(lambda m: m.get("state") == "away")
            async with system.publisher(takeover="true") as second:
                new = Conversation(second)
                ready = await new.next()
                assert ready["session"] != session
                assert ready["offset"] == 0
                if not lost:
                    code, heard = await old.rest()
                    assert (heard[-1]["code"], code) == ("taken_over", 1008)
                assert (await refused(system, session=session))[1]["code"] == "not_found"
                await send(new, AUDIO)
                await second.send(END)
                code, _ = await new.rest()
                assert code == 1000
        finals = [await view.next(lambda m: m.get("final") is True) for _ in range(3)]
        assert [final["utterance"] for final in finals] == [0, 1, 2]
        assert SAID.startswith(finals[0]["text"].split()[0])
        assert " ".join(final["text"] for final in finals[1:]) == SAID


async def test_a_session_that_is_not_resumed_ends_with_what_was_said() -> None:
    async with running(SCRIPT, resume_window=0.3) as system, system.viewer() as watching:
        view = Conversation(watching)
        async with system.publisher() as socket:
            await Conversation(socket).next()
            await send(Conversation(socket), AUDIO[:60_000])
            await asyncio.sleep(0.2)
            socket.transport.abort()
        assert (await view.next(lambda m: m.get("final") is True))["text"].startswith(SCRIPT[0].text)
        await view.next(lambda m: m.get("state") == "ended")
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["offset"] == 0


async def test_an_utterance_is_ended_when_audio_stops_coming() -> None:
    async with running(SCRIPT, stall_timeout=0.3) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO[:50_000])
        final = await talk.next(lambda m: m.get("final") is True)
        assert final["text"].startswith(SCRIPT[0].text)


async def test_a_publisher_that_says_nothing_at_all_is_let_go() -> None:
    async with running(SCRIPT, idle_timeout=0.3) as system, system.publisher() as socket:
        closed, heard = await Conversation(socket).rest()
    assert (heard[-1]["code"], closed) == ("bad_request", 1008)
    assert "keepalive" in heard[-1]["message"]


async def test_a_track_goes_on_where_it_was() -> None:
    async with running(SCRIPT) as system:
        finals = []
        for _ in range(2):
            async with system.publisher() as socket:
                talk = Conversation(socket)
                await talk.next()
                await send(talk, AUDIO)
                await socket.send(END)
                await talk.rest()
            finals += [m for m in talk.all("caption") if m["final"]]
    assert [final["utterance"] for final in finals] == [0, 1, 2, 3]
    starts = [final["start"] for final in finals]
    assert starts == sorted(starts)
    assert starts[2] >= len(PCM) / 16_000


async def test_limits_and_overload_come_with_a_time_to_try_again() -> None:
    async with running(SCRIPT, max_sessions=1) as system, system.publisher() as socket:
        await Conversation(socket).next()
        status, body, retry = await refused(system, track="other")
        assert (status, body["code"], body["retry_after"], retry) == (429, "too_many", 10, "10")
    async with running(SCRIPT, working=False, overload_after=0.3) as system, system.publisher() as socket:
        await Conversation(socket).next()
        system.gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 99))
        await asyncio.sleep(0.6)
        status, body, retry = await refused(system, track="other")
        assert (status, body["code"]) == (503, "overloaded")
        assert retry is not None


async def test_tokens_decide_who_may_publish_where() -> None:
    tokens = {"speak": principal("hall", "publish"), "read": principal("*", "view")}
    async with running(SCRIPT, tokens=tokens) as system:
        assert (await refused(system))[1]["code"] == "unauthorized"
        assert (await refused(system, token="wrong"))[0] == 401
        assert (await refused(system, token="read"))[1]["code"] == "forbidden"
        assert (await refused(system, "other", token="speak"))[0] == 403
        async with system.publisher(token="speak") as socket:
            assert (await Conversation(socket).next())["type"] == "ready"


async def test_one_bug_costs_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(SCRIPT) as system, system.publisher(track="well") as well, system.publisher(track="ill") as ill:
        healthy, sick = Conversation(well), Conversation(ill)
        await healthy.next()
        await sick.next()
        held = next(h for h in system.gateway.sessions.held if h.session.track.name == "ill")
        monkeypatch.setattr(held.session.listener, "push", lambda _: 1 / 0)
        await send(sick, AUDIO[:20_000])
        code, heard = await sick.rest()
        assert (heard[-1]["code"], code) == ("internal", 1011)
        await send(healthy, AUDIO)
        await well.send(END)
        code, heard = await healthy.rest()
        assert code == 1000
        assert text_of(heard) == SAID


@pytest.mark.parametrize(
    ("query", "frame"),
    [({}, 2), ({"sample_rate": 48_000, "channels": 2, "encoding": "float32"}, 8), ({"encoding": "alaw"}, 1)],
)
async def test_what_is_safe_is_acknowledged_though_nothing_follows_it(query: dict[str, Any], frame: int) -> None:
    rate = int(query.get("sample_rate", 16_000))
    sent = 2 * rate * frame
    async with running(SCRIPT, stall_timeout=60) as system, system.publisher(**query) as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, bytes(sent), 60_000)
        all_but_pre_roll = sent - rate * frame // 2
        ack = await talk.next(lambda m: m["type"] == "ack" and m["offset"] >= all_but_pre_roll)
    assert ack["offset"] <= sent
    assert ack["offset"] % frame == 0


async def test_rate_and_channels_of_a_container_are_its_own_business() -> None:
    async with running(SCRIPT) as system, system.publisher(encoding="container", sample_rate=96000, channels=12) as ws:
        assert (await Conversation(ws).next())["type"] == "ready"


async def test_nothing_acknowledged_is_lost_when_a_session_is_taken_over_while_the_log_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script, pcm = script_of(8, words=4)
    audio = to_bytes(pcm)
    async with running(script) as system:
        free, append = asyncio.Event(), system.log.append

        async def append_when_free(topic: str, record: Record) -> int:
            if topic == AUDIO_TOPIC:
                await free.wait()
            return await append(topic, record)

        monkeypatch.setattr(system.log, "append", append_when_free)
        async with system.publisher() as old:
            hung = Conversation(old)
            session = (await hung.next())["session"]
            await send(hung, audio[:600_000], 60_000)
            held = system.gateway.sessions.held[0].session
            async with asyncio.timeout(30):
                while not held._feeding.locked():  # noqa: ASYNC110 - told by no event
                    await asyncio.sleep(0.01)
            async with system.publisher(session=session) as new:
                talk = Conversation(new)
                offset = (await talk.next())["offset"]
                free.set()
                await send(talk, audio[offset:], 60_000)
                await new.send(END)
                code, heard = await talk.rest(20)
    assert code == 1000
    assert heard[-1] == {"type": "done", "offset": len(audio), "seconds": pytest.approx(len(pcm) / 16_000, abs=0.001)}


async def test_a_log_that_fails_is_our_fault_and_leaves_the_track_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(topic: str, record: Record) -> int:
        raise LogError(f"no space on {topic} for {record.key}")

    async with running(SCRIPT) as system:
        with monkeypatch.context() as broken_log:
            broken_log.setattr(system.log, "append", broken)
            status, body, _ = await refused(system)
            assert (status, body["code"]) == (500, "internal")
        async with system.publisher() as socket:
            talk = Conversation(socket)
            await talk.next()
            with monkeypatch.context() as broken_log:
                broken_log.setattr(system.log, "append", broken)
                await send(talk, AUDIO)
                code, heard = await talk.rest()
            assert (heard[-1]["code"], code) == ("internal", 1011)
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["type"] == "ready"


async def test_a_publisher_that_ended_and_left_frees_its_track_at_once() -> None:
    async with running(SCRIPT, working=False) as system, system.viewer() as watching:
        async with system.publisher() as socket:
            talk = Conversation(socket)
            await talk.next()
            await send(talk, AUDIO)
            await socket.send(END)
            await talk.next(lambda m: m["type"] == "ack" and m["offset"] == len(AUDIO))
            socket.transport.abort()
        await Conversation(watching).next(lambda m: m.get("state") == "ended")
        async with system.publisher() as socket:
            assert (await Conversation(socket).next())["type"] == "ready"


async def test_last_captions_that_are_late_are_said_to_be_late() -> None:
    async with running(SCRIPT, working=False, done_timeout=0.3) as system, system.viewer() as watching:
        async with system.publisher() as socket:
            talk = Conversation(socket)
            await talk.next()
            await send(talk, AUDIO)
            await socket.send(END)
            code, heard = await talk.rest()
        assert (heard[-1]["code"], code) == ("internal", 1011)
        await Conversation(watching).next(lambda m: m.get("state") == "ended")


async def test_a_publisher_that_fell_silent_may_come_back() -> None:
    async with running(SCRIPT, idle_timeout=0.3) as system:
        async with system.publisher() as socket:
            _, heard = await Conversation(socket).rest()
        async with system.publisher(session=heard[0]["session"]) as socket:
            assert (await Conversation(socket).next())["session"] == heard[0]["session"]


async def test_a_room_has_so_many_tracks_and_no_more() -> None:
    async with running(SCRIPT, max_tracks=1) as system, system.publisher(track="one") as socket:
        await Conversation(socket).next()
        status, body, _ = await refused(system, track="two")
        assert (status, body["code"]) == (429, "too_many")
        async with system.publisher("elsewhere") as other:
            assert (await Conversation(other).next())["type"] == "ready"


async def test_a_flood_of_commands_is_held_in_no_queue() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        for at in range(0, len(AUDIO), 6400):
            await socket.send(AUDIO[at : at + 6400])
            for _ in range(20):
                await socket.send('{"type":"finalize"}')
        await socket.send(END)
        code, heard = await talk.rest()
    assert code == 1000
    assert heard[-1]["offset"] == len(AUDIO)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=3000) | st.text(max_size=60), max_size=8),
    st.sampled_from(["linear16", "float32", "alaw", "container"]),
)
async def test_whatever_is_sent_the_answer_is_of_the_protocol(frames: list[str | bytes], encoding: str) -> None:
    async with running([ScriptedWord("x", 0, 1)] * 30_000, done_timeout=5.0) as system:
        async with system.publisher(encoding=encoding) as socket:
            talk = Conversation(socket)
            await talk.next()
            for frame in frames:
                await socket.send(frame)
            await socket.send(END)
            code, heard = await talk.rest()
        assert code in {1000, 1003, 1008, 1009}
        assert heard[-1]["type"] in {"done", "error"}
        async with asyncio.timeout(30):
            while system.gateway.sessions.held:  # noqa: ASYNC110 - let go after the close, told by no event
                await asyncio.sleep(0.01)
