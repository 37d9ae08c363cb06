"""The language of ``auto`` sessions at the worker: from the audio and the log, whoever decodes and whenever."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from captions.audio import Pcm
from captions.language_choice import Heard
from captions.log_reading import entries_between
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import HOLDING_GROUP, Entry, Log
from captions.records import AUDIO, CAPTIONS, PARTIALS, AudioSegment, heard_in, write_audio
from captions.session import SessionSettings
from captions.track import RoomId
from captions.words import Word
from inference import session_language
from inference.settings import WorkerSettings
from tests.support import memory_log, terms, told, worker_on
from transport.memory import MemoryLog
from transport.memory.group import Group

pytestmark = pytest.mark.looptime

AUTO = SessionSettings(session="s", origin=1_764_000_000.0, language="auto", first_utterance=0)
HALL = RoomId("hall")
IN_THE_OTHER_PARTITION = next(
    room for number in range(99) if memory_log(partitions=2).partition_of(AUDIO, (room := RoomId(f"hall{number}")).key)
)
CODES = ("de", "en", "fr", "ja")


class Polyglot:
    """An engine whose audio says its language: the first sample is the language's number plus 1.

    It is right about what is long. It takes everything under ``short`` seconds for ``mistaken``. Its one word is the
    language that it decodes in.
    """

    model_name = "polyglot"
    revision = "0" * 12
    decoders = 1
    short = 1.5
    mistaken = "ja"

    def __init__(self) -> None:
        self.requests: list[DecodeRequest] = []

    def batch_key(self, samples: int, *, final: bool) -> object:  # noqa: ARG002 - as the port has it
        return None

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.requests += requests
        return [self._hypothesis(request) for request in requests]

    def _hypothesis(self, request: DecodeRequest) -> Hypothesis:
        seconds = len(request.pcm) / 16_000
        spoken = self.mistaken if seconds < self.short else CODES[int(request.pcm[0]) - 1]
        among = request.languages or CODES
        shares = {code: 0.94 if code == spoken else 0.02 for code in among}
        found = shares if request.language == "auto" or request.detected else {}
        decoded = max(shares, key=lambda code: shares[code]) if request.language == "auto" else request.language
        return Hypothesis(words=(Word(decoded, 0.0, seconds, 0.9),), language=decoded, language_probabilities=found)


def speech(code: str, seconds: float) -> Pcm:
    return np.full(round(seconds * 16_000), CODES.index(code) + 1, np.int16)


async def say(
    log: MemoryLog,
    said: Sequence[tuple[str, float]],
    settings: SessionSettings = AUTO,
    *,
    room: RoomId = HALL,
    track: str = "main",
    first: int = 0,
    pause: float = 0.5,
) -> None:
    """Append utterances of (language, seconds), each as it is spoken."""
    position = first * 1_000_000
    for number, (code, seconds) in enumerate(said, first):
        pcm = speech(code, seconds)
        parts = np.array_split(pcm, max(1, round(seconds / 0.2)))
        for at, part in enumerate(parts):
            await asyncio.sleep(len(part) / 16_000)
            segment = AudioSegment(
                track=room.track(track),
                utterance=number,
                number=at,
                start=position,
                pcm=part,
                offset=0,
                last=at == len(parts) - 1,
                settings=settings if at == 0 else None,
            )
            position += len(part)
            await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(pause)


def languages(finals: Sequence[CaptionMessage], track: str = "main") -> list[str]:
    """The language of each utterance, which is also its text."""
    of = {final.utterance: final for final in finals if final.track == track}
    assert all(final.text == final.language for final in of.values())
    return [of[number].language for number in sorted(of)]


async def finals_of(log: MemoryLog) -> list[CaptionMessage]:
    return (await told(log, CAPTIONS)).finals


async def headers_of(log: MemoryLog) -> list[bytes]:
    """What the finals on the log say of their sessions' languages."""
    headers = [heard_in(entry.record) async for entry in entries_between(log, CAPTIONS, 0, since=0.0)]
    return [header for header in headers if header is not None]


TALK = [("de", 4.0), ("de", 0.8), ("de", 3.0), ("de", 1.0), ("fr", 4.0), ("fr", 0.8), ("fr", 5.0), ("fr", 0.9)]
HEARD_IN_TALK = ["de"] * 4 + ["fr"] * 4


async def test_short_words_are_in_the_session_s_language_and_a_change_is_followed() -> None:
    log, engine = memory_log(), Polyglot()
    async with worker_on(log, engine):
        await say(log, TALK)
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == HEARD_IN_TALK


async def test_the_first_word_is_heard_by_itself_and_what_follows_puts_it_right() -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 0.8), ("de", 4.0), ("de", 0.8)])
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == ["ja", "de", "de"]


async def test_the_candidates_are_those_of_the_session() -> None:
    log, engine = memory_log(), Polyglot()
    engine.mistaken = "en"
    async with worker_on(log, engine):
        await say(log, [("ja", 4.0), ("de", 0.8)], replace(AUTO, languages=("de", "en")))
        await asyncio.sleep(2)
    assert all(request.languages == ("de", "en") for request in engine.requests)
    assert set(languages(await finals_of(log))) <= {"de", "en"}


async def test_a_session_that_names_its_language_is_left_alone() -> None:
    log, engine = memory_log(), Polyglot()
    async with worker_on(log, engine):
        await say(log, TALK, replace(AUTO, language="en-GB"))
        await asyncio.sleep(2)
    assert {request.language for request in engine.requests} == {"en-GB"}
    assert not any(request.detected for request in engine.requests)
    assert await headers_of(log) == []


@pytest.mark.parametrize("killed_at", [1.0, 4.2, 5.0, 8.9, 11.0, 14.5, 16.2])
async def test_a_worker_that_takes_over_decides_as_the_one_before(killed_at: float) -> None:
    log, engine = memory_log(), Polyglot()
    speaking = asyncio.create_task(say(log, TALK))
    async with worker_on(log, engine, delay=0.05):
        await asyncio.sleep(killed_at)
    async with worker_on(log, engine, delay=0.05):
        await speaking
        await asyncio.sleep(3)
    finals = await finals_of(log)
    assert languages(finals) == HEARD_IN_TALK
    texts = {(final.utterance, final.text) for final in finals}
    assert len(texts) == len(TALK)


async def test_a_worker_that_takes_over_after_a_long_silence_still_knows() -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0)])
        await asyncio.sleep(2)
    await asyncio.sleep(500)
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 0.8)], first=1)
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == ["de", "de"]


async def test_a_worker_that_reads_again_what_it_could_not_commit_decides_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = memory_log(partitions=2)
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0)], room=IN_THE_OTHER_PARTITION)
        await asyncio.sleep(2)
        monkeypatch.setattr(Group, "commit", lambda *_: None)
        await say(log, [("de", 0.8)], room=IN_THE_OTHER_PARTITION, first=1)
        await asyncio.sleep(2)
        async with log.join(AUDIO, HOLDING_GROUP) as other:
            for _ in range(3):
                await other.poll(0.5)
        await asyncio.sleep(2)
        await say(log, [("de", 0.8)], room=IN_THE_OTHER_PARTITION, first=2)
        await asyncio.sleep(2)
    finals = await finals_of(log)
    assert [(final.utterance, final.language) for final in finals] == [(0, "de"), (1, "de"), (1, "de"), (2, "de")]


@pytest.mark.parametrize("taken_over", [False, True])
@pytest.mark.parametrize(("quiet", "found"), [(1800.0, "de"), (3000.0, "ja")])
async def test_after_a_long_silence_the_language_is_found_anew_whoever_decodes(
    taken_over: bool, quiet: float, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_language, "LOOKED_BACK", (60.0, 2400.0))  # the log keeps an hour
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0)])
        await asyncio.sleep(quiet)
        if not taken_over:
            await say(log, [("de", 0.8)], first=1)
            await asyncio.sleep(2)
    async with worker_on(log, Polyglot()):
        if taken_over:
            await say(log, [("de", 0.8)], first=1)
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == ["de", found]


async def test_a_takeover_reads_the_last_hour_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The captions of the room have no header of this track: it is looked for in vain."""
    log, read = memory_log(), 0
    async with worker_on(log, Polyglot()):
        for number in range(150):
            await say(log, [("en", 1.0)], replace(AUTO, language="en"), track="other", first=number, pause=60.0)

    async def counted(
        log: Log, topic: str, partition: int, *, since: float, end: int | None = None
    ) -> AsyncIterator[Entry]:
        nonlocal read
        async for entry in entries_between(log, topic, partition, since=since, end=end):
            read += 1
            yield entry

    monkeypatch.setattr(session_language, "entries_between", counted)
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 4.0), ("de", 0.8)], first=7)
        await asyncio.sleep(2)
    assert languages(await finals_of(log), "main") == ["de", "de"]
    assert 50 < read < 70


async def test_another_session_of_the_track_begins_anew() -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0)])
        await say(log, [("en", 0.8)], replace(AUTO, session="t", first_utterance=1), first=1)
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == ["de", "ja"]


async def test_tracks_do_not_hear_each_other_and_finals_do_not_depend_on_timing() -> None:
    found = []
    for decoders, delay, batch in ((1, 0.0, 8), (3, 0.4, 2), (2, 1.5, 1)):
        log = memory_log()
        settings = WorkerSettings(decoders=decoders, max_batch=batch)
        async with worker_on(log, Polyglot(), delay=delay, settings=settings):
            await asyncio.gather(
                say(log, TALK, track="a"),
                say(log, [("en", 3.0), ("en", 0.7), ("ja", 3.0), ("en", 0.7)], track="b", pause=0.0),
                say(log, [("fr", 0.6)] * 3, track="c"),
            )
            await asyncio.sleep(60)
        finals = await finals_of(log)
        found.append([languages(finals, track) for track in "abc"])
    assert found[0][0] == HEARD_IN_TALK
    assert found[1:] == found[:1] * 2


async def test_partials_use_the_language_that_was_decided_without_looking_for_it() -> None:
    log, engine = memory_log(), Polyglot()
    async with worker_on(log, engine):
        await say(log, [("de", 6.0), ("de", 2.5)])
        await asyncio.sleep(1)
    later = [request for request in engine.requests if not request.final][-3:]
    assert all((request.language, request.detected) == ("de", False) for request in later)


async def test_a_partial_s_language_is_settled_after_some_seconds_and_does_not_flap() -> None:
    log, engine = memory_log(), Polyglot()
    async with worker_on(log, engine):
        await say(log, [("de", 8.0), ("fr", 8.0)])
        await asyncio.sleep(1)
    partials = (await told(log, PARTIALS)).partials
    for utterance, code in enumerate(("de", "fr")):
        spoken = [partial.language for partial in partials if partial.utterance == utterance]
        changes = sum(1 for one, other in itertools.pairwise(spoken) if one != other)
        assert changes <= 1
        assert spoken[-1] == code


async def test_the_final_says_what_was_heard() -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0), ("de", 0.8)])
        await asyncio.sleep(1)
    assert [Heard.read(header).language for header in await headers_of(log)] == ["de", "de"]


@pytest.mark.parametrize(
    ("asked", "before", "language"), [("de-AT", [], "de-AT"), ("auto", [("fr", 4.0)], "fr"), ("auto", [], "und")]
)
async def test_too_little_audio_is_in_the_language_of_its_session(
    asked: str, before: list[tuple[str, float]], language: str
) -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [*before, ("de", 0.05)], replace(AUTO, language=asked, vocabulary=terms("Kafka")))
        await asyncio.sleep(2)
    *_, last = await finals_of(log)
    assert (last.text, last.language) == ("", language)


async def test_sessions_of_older_gateways_are_heard_utterance_by_utterance() -> None:
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, TALK, replace(AUTO, first_utterance=None))
        await asyncio.sleep(2)
    assert languages(await finals_of(log)) == ["de", "ja", "de", "ja", "fr", "ja", "fr", "ja"]


async def test_tracks_that_are_remembered_no_longer_are_read_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_language, "MOST_TRACKS", 1)
    log = memory_log()
    async with worker_on(log, Polyglot()):
        await say(log, [("de", 6.0)], track="a")
        await say(log, [("fr", 6.0)], track="b")
        await say(log, [("de", 0.8)], track="a", first=1)
        await say(log, [("fr", 0.8)], track="b", first=1)
        await asyncio.sleep(2)
    finals = await finals_of(log)
    assert [languages(finals, track) for track in "ab"] == [["de", "de"], ["fr", "fr"]]
