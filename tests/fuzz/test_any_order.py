"""Publishers and viewers at two gateways that do anything in any order, in virtual time, and what holds all the while.

The guarantees are those of docs/guarantees.md. Gateways and workers die too.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import looptime
import pytest
from fastapi import FastAPI
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from structlog.testing import capture_logs

from captions.messages import CaptionMessage
from captions.ports.log import Entry, Log
from captions.records import AUDIO, CAPTIONS, AudioSegment, read_audio, read_room_event
from inference.engine.scripted import ScriptedEngine, ScriptedWord
from streamer.gateway import Gateway
from streamer.web.app import create_app
from tests.fuzz.effort import effort
from tests.fuzz.peers import Errors, Peer
from tests.streamer.gateways import AUDIO as SPEECH
from tests.streamer.gateways import SCRIPT, gateway_on
from tests.support import memory_log, worker_on

pytestmark = pytest.mark.fuzz

LONG_ENOUGH = 200.0
"""Seconds after which sessions have expired, and utterances without an end are given up."""
STILL_RESUMABLE = 30.0
"""Seconds for which a publisher whose connection was lost may certainly come back."""

NOISE = [ScriptedWord("noise", 0, 1)] * 2**15
"""What the engine hears in bytes that are no speech."""
ROOM = "hall"
TRACKS = st.sampled_from(["main", "second"])
WHICH = st.integers(0, 1)
CODES = st.sampled_from([1000, 1001, 1006, 1011, 3000])
MESSAGES = st.sampled_from(['{"type":"finalize"}', '{"type":"keepalive"}'])
GARBAGE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["{}", "[]", "null", '{"type":"bye"}', '{"type":"ready","session":"x"}', "[" * 5000, "x" * 70_000]),
)
PUBLISHING = st.dictionaries(
    st.sampled_from(
        ["encoding", "sample_rate", "channels", "language", "endpointing", "takeover", "speaker", "session"]
    ),
    st.sampled_from(["linear16", "alaw", "float32", "8000", "2", "true", "no", "", "en", "0.5", "-1", "\0", "NaN"]),
    max_size=3,
)
VIEWING = st.dictionaries(
    st.sampled_from(["after", "track", "partials", "history", "tenant"]),
    st.sampled_from(["0", "1", "5", "9" * 18, "9" * 40, "none", "all", "main", "false", "second", "", "\0", "-1"]),
    max_size=3,
)


@dataclass(eq=False)
class Stream:
    """What is known of a session from outside: bytes sent and acknowledged, whichever connection they went over."""

    track: str
    sent: int = 0
    acknowledged: int = 0
    over: bool = False
    lost_at: float | None = None
    holder: "Gateway | None" = None


@dataclass(eq=False)
class Speaker:
    """A publisher's connection. ``plain``: it sends the speech of the script; others send any bytes."""

    peer: Peer
    gateway: Gateway
    track: str
    plain: bool
    stream: Stream | None = None
    resumes: Stream | None = None
    position: int = 0
    read: int = 0
    ended: bool = False
    superseded: bool = False


@dataclass(eq=False)
class Reader:
    """A viewer's connection, and the latest caption of each utterance that it was sent."""

    peer: Peer
    after: int
    latest: dict[tuple[str, int], CaptionMessage] = field(default_factory=dict)
    seq: int = -1
    live: bool = False
    read: int = 0


class AnyOrder(RuleBasedStateMachine):
    """The system and its clients. Every rule lets a little virtual time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = looptime.new_event_loop(start=0.0)
        self.speakers: list[Speaker] = []
        self.readers: list[Reader] = []
        self.streams: dict[str, Stream] = {}
        self.errors = Errors()
        self.loop.set_exception_handler(lambda _, context: self.errors.lines.append(str(context)))
        self._stack = ExitStack()
        self.logged = self._stack.enter_context(capture_logs())
        logging.getLogger().addHandler(self.errors)
        self._stack.callback(logging.getLogger().removeHandler, self.errors)

    def run(self, coroutine: Coroutine[Any, Any, None], seconds: float = 0.05) -> None:
        async def and_wait() -> None:
            await coroutine
            await asyncio.sleep(seconds)

        self.loop.run_until_complete(and_wait())

    @initialize()
    def start(self) -> None:
        async def begin() -> None:
            self.log = memory_log()
            self.gateways = [gateway_on(self.log), gateway_on(self.log)]
            self.apps: list[FastAPI] = [create_app(gateway) for gateway in self.gateways]
            self._work()

        self.run(begin())
        self.publish(0, "main", takeover=False)
        self.view(1, {})

    def _work(self) -> None:
        self.worker = worker_on(self.log, ScriptedEngine([*SCRIPT, *NOISE]))
        self.loop.create_task(self.worker.__aenter__())

    # what clients do

    @rule(at=WHICH, track=TRACKS, takeover=st.booleans())
    def publish(self, at: int, track: str, takeover: bool) -> None:
        query = [("track", track), *([("takeover", "true")] if takeover else [])]
        self._speaker(at, track, query, plain=True)

    @rule(at=WHICH, track=TRACKS, query=PUBLISHING)
    def publish_somehow(self, at: int, track: str, query: dict[str, str]) -> None:
        self._speaker(at, track, [("track", track), *query.items()], plain=False)

    def _speaker(
        self, at: int, track: str, query: list[tuple[str, str]], *, plain: bool, resumes: Stream | None = None
    ) -> None:
        async def connect() -> None:
            peer = Peer(self.apps[at], f"/v1/rooms/{ROOM}/publish", query)
            self.speakers.append(Speaker(peer, self.gateways[at], track, plain, resumes=resumes))

        self.run(connect())

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), at=WHICH)
    def resume(self, data: st.DataObject, at: int) -> None:
        session = list(self.streams)[data.draw(st.integers(0, len(self.streams) - 1), "session")]
        stream = self.streams[session]
        certain = (
            not stream.over
            and stream.lost_at is not None
            and self.loop.time() - stream.lost_at < STILL_RESUMABLE
            and stream.holder is self.gateways[at]
        )
        for speaker in self.speakers:
            speaker.superseded = speaker.superseded or speaker.stream is stream
        self._speaker(at, stream.track, [("track", stream.track), ("session", session)], plain=True, resumes=stream)
        self.speakers_are_told_the_truth()
        if certain:
            assert self.speakers[-1].stream is stream, f"not resumed: {self.speakers[-1].peer.heard}"

    def clients(self) -> "list[Speaker | Reader]":
        return [*self.speakers, *self.readers]

    def _one(self, data: st.DataObject) -> Speaker:
        talking = [s for s in self.speakers if s.peer.open]
        return talking[data.draw(st.integers(0, len(talking) - 1), "speaker")]

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), seconds=st.sampled_from([0.01, 0.1, 0.5, 1.0, 1.5]), pieces=st.integers(1, 10))
    def speak(self, data: st.DataObject, seconds: float, pieces: int) -> None:
        speaker = self._one(data)
        for _ in range(pieces):
            size = round(seconds * 16_000) * 2
            start = speaker.position % len(SPEECH)
            self._send(speaker, (SPEECH * 2)[start : start + size])
            self.run(asyncio.sleep(seconds))

    @precondition(lambda self: any(s.peer.open and s.plain for s in self.speakers))
    @rule()
    def all_speak(self) -> None:
        for _ in range(10):
            for speaker in self.speakers:
                if speaker.plain and speaker.peer.open:
                    start = speaker.position % len(SPEECH)
                    self._send(speaker, (SPEECH * 2)[start : start + 6400])
            self.run(asyncio.sleep(0.15))

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), noise=st.binary(max_size=200), times=st.sampled_from([1, 50, 300, 400]))
    def send_any_bytes(self, data: st.DataObject, noise: bytes, times: int) -> None:
        self._send(self._one(data), noise * times)
        self.run(asyncio.sleep(0))

    def _send(self, speaker: Speaker, audio: bytes) -> None:
        speaker.position += len(audio)
        if speaker.stream is not None:
            speaker.stream.sent = max(speaker.stream.sent, speaker.position)
        speaker.peer.send(audio)

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), text=MESSAGES)
    def command(self, data: st.DataObject, text: str) -> None:
        self._one(data).peer.send(text)
        self.run(asyncio.sleep(0))

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), text=GARBAGE)
    def send_any_text(self, data: st.DataObject, text: str) -> None:
        self._over(self._one(data)).peer.send(text)
        self.run(asyncio.sleep(0))

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), more=st.sampled_from([b"", b"after the end", '{"type":"end"}', "after the end"]))
    def end(self, data: st.DataObject, more: str | bytes) -> None:
        speaker = self._over(self._one(data))
        speaker.ended = True
        speaker.peer.send('{"type":"end"}')
        if more:
            speaker.peer.send(more)
        self.run(asyncio.sleep(0))

    @precondition(lambda self: any(s.peer.open for s in self.speakers))
    @rule(data=st.data(), code=CODES)
    def hang_up(self, data: st.DataObject, code: int) -> None:
        speaker = self._one(data)
        if code in {1000, 1001}:
            self._over(speaker)
        elif speaker.stream is not None and not speaker.superseded:
            speaker.stream.lost_at = self.loop.time()
            speaker.stream.holder = speaker.gateway
        speaker.peer.leave(code)
        self.run(asyncio.sleep(0))

    def _over(self, speaker: Speaker) -> Speaker:
        """From now on nobody can be sure that the session can be resumed."""
        if speaker.stream is not None:
            speaker.stream.over = True
        return speaker

    @rule(at=WHICH, query=VIEWING)
    def view(self, at: int, query: dict[str, str]) -> None:
        async def connect() -> None:
            after = query.get("after", "")
            self.readers.append(
                Reader(
                    Peer(self.apps[at], f"/v1/rooms/{ROOM}/captions", list(query.items())),
                    after=int(after) if after in {"0", "1", "5"} else -1,
                )
            )

        self.run(connect())

    @rule(at=WHICH)
    def view_all(self, at: int) -> None:
        self.view(at, {})

    @precondition(lambda self: any(r.peer.open for r in self.readers))
    @rule(data=st.data(), does=st.sampled_from(["leave", "stop", "read", "talk"]), code=CODES)
    def read(self, data: st.DataObject, does: str, code: int) -> None:
        reading = [r for r in self.readers if r.peer.open]
        reader = reading[data.draw(st.integers(0, len(reading) - 1), "reader")]
        match does:
            case "leave":
                reader.peer.leave(code)
            case "stop":
                reader.peer.reading.clear()
            case "read":
                reader.peer.reading.set()
            case "talk":
                reader.peer.send(data.draw(GARBAGE | st.binary(max_size=20), "frame"))
        self.run(asyncio.sleep(0))

    # what time and machines do

    @rule(seconds=st.sampled_from([0.3, 3.0, 12.0, 70.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(at=WHICH)
    def lose_a_gateway(self, at: int) -> None:
        async def die() -> None:
            gateway, app = self.gateways[at], self.apps[at]
            lost = [client for client in self.clients() if client.peer.app is app]
            for client in lost:
                client.peer.leave(1006)
                client.peer.serving.cancel()
            await asyncio.gather(*(client.peer.serving for client in lost), return_exceptions=True)
            await gateway.close()
            self.gateways[at] = gateway_on(self.log)
            self.apps[at] = create_app(self.gateways[at])

        self.run(die())

    @rule(seconds=st.sampled_from([0.0, 1.0, 10.0]))
    def lose_the_worker(self, seconds: float) -> None:
        async def die() -> None:
            await self.worker.__aexit__(None, None, None)
            await asyncio.sleep(seconds)
            self._work()

        self.run(die())

    # what holds

    @invariant()
    def speakers_are_told_the_truth(self) -> None:
        for speaker in self.speakers:
            peer = speaker.peer
            peer.check_refusal()
            for message in peer.heard[speaker.read :]:
                self._hear(speaker, message)
            speaker.read = len(peer.heard)

    def _hear(self, speaker: Speaker, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ready":
                assert speaker.stream is None, "ready twice"
                known = self.streams.setdefault(message["session"], Stream(speaker.track))
                assert speaker.resumes in {None, known}
                assert known.acknowledged <= message["offset"] <= known.sent, "resumed where nothing was acknowledged"
                known.lost_at = None
                known.holder = speaker.gateway
                speaker.stream, speaker.position = known, message["offset"]
                for other in self.streams.values():
                    other.over = other.over or (other.track == speaker.track and other is not known)
            case "ack" | "done" if not speaker.superseded:
                assert speaker.stream is not None
                assert speaker.stream.acknowledged <= message["offset"] <= speaker.stream.sent
                speaker.stream.acknowledged = message["offset"]
                assert message["type"] == "ack" or speaker.ended
            case "error":
                self._over(speaker)

    @invariant()
    def captions_do_not_go_backwards_and_stable_words_stand(self) -> None:
        for reader in self.readers:
            reader.peer.check_refusal()
            for message in reader.peer.heard[reader.read :]:
                if message["type"] == "caption":
                    _show(reader, CaptionMessage.model_validate(message))
                reader.live = reader.live or message["type"] == "live"
                if message["type"] == "gap":
                    reader.after = -1  # it may come from another log, of which nothing is here
                if (seq := message.get("seq")) is not None:
                    assert seq > (reader.seq if reader.live else max(reader.seq, reader.after))
                    reader.seq = seq
            reader.read = len(reader.peer.heard)
            assert sum(message["type"] == "live" for message in reader.peer.heard) <= 1

    @invariant()
    def nothing_fails(self) -> None:
        assert not self.errors.lines, self.errors.lines
        failures = [line for line in self.logged if line["log_level"] in {"error", "critical"}]
        assert not failures, failures

    def teardown(self) -> None:
        try:
            if hasattr(self, "log"):
                self._leave_and_check()
        finally:
            self._stack.close()
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0.1))
            self.loop.close()

    def _leave_and_check(self) -> None:
        for client in self.clients():
            client.peer.leave(1006)
        self.run(asyncio.sleep(LONG_ENOUGH))
        self.speakers_are_told_the_truth()
        self.captions_do_not_go_backwards_and_stable_words_stand()
        for gateway in self.gateways:
            assert not gateway.sessions.held
            assert gateway.viewers == 0
            assert gateway.pending.count == 0
            assert not [room for room in gateway.hub.rooms if room.audience]
        self.run(self._every_utterance_has_its_final())
        for client in self.clients():
            assert client.peer.serving.done()
            assert client.peer.serving.cancelled() or client.peer.serving.exception() is None
        self.nothing_fails()
        self.run(self._stop())
        assert not asyncio.all_tasks(self.loop)

    async def _every_utterance_has_its_final(self) -> None:
        spoken, captioned = set(), set()
        for entry in await _entries(self.log, AUDIO):
            segment = read_audio(entry.record)
            if isinstance(segment, AudioSegment):
                spoken.add((segment.track.name, segment.utterance))
        for entry in await _entries(self.log, CAPTIONS):
            event = read_room_event(entry.record)
            if isinstance(event, CaptionMessage) and event.final:
                captioned.add((event.track, event.utterance))
        assert spoken <= captioned, f"without a final: {spoken - captioned}"

    async def _stop(self) -> None:
        await self.worker.__aexit__(None, None, None)
        for gateway in self.gateways:
            await gateway.close()


async def _entries(log: Log, topic: str) -> list[Entry]:
    bounds = await log.bounds(topic, 0)
    entries: list[Entry] = []
    if bounds.earliest < bounds.end:
        async for entry in log.read(topic, 0, bounds.earliest):
            entries.append(entry)
            if entry.offset == bounds.end - 1:
                break
    return entries


def _show(reader: Reader, caption: CaptionMessage) -> None:
    before = reader.latest.get((caption.track, caption.utterance))
    if before is not None:
        assert caption.version > before.version or (caption.final and not before.final), "a caption went backwards"
        assert caption.final or not before.final, "a partial after a final"
        if not caption.final:
            assert caption.text.split()[: before.stable] == before.text.split()[: before.stable], "a stable word moved"
    reader.latest[caption.track, caption.utterance] = caption


AnyOrder.TestCase.settings = effort(15, stateful_step_count=20)
TestAnyOrder = AnyOrder.TestCase
