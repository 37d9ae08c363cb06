"""The language of sessions that ask for ``auto``: what each final says of it, on the log and remembered here.

The finals of a track are decoded one after the other, and each carries in a header what all of its session had said
until then (``captions.language_choice``). So the language of a final follows from its audio and what precedes it on
the log, whichever worker decodes it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import structlog

from captions.audio import SAMPLE_RATE
from captions.caption import CaptionId
from captions.errors import RecordError
from captions.language import AUTO
from captions.language_choice import Heard
from captions.log_reading import entries_between
from captions.messages import CaptionMessage
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Entry, Log
from captions.records import CAPTIONS, heard_in, read_room_event
from captions.track import TrackId
from inference.decoding import Failed
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)

SETTLED = 3.0
"""Seconds of an utterance that settle the language of its partials: Whisper takes 1 in 80 for another."""

MOST_TRACKS = 10_000
"""Tracks that are remembered. The finals of others are looked up on the log."""

LOOKED_BACK = (60.0, 240.0, 960.0, 3600.0)
"""Seconds before an utterance from which topic ``captions`` is read for the last final of its track, one after another.

A session that was quiet for longer is found out anew, whether or not its worker is another one.
"""

DecodeAgain = Callable[[Sequence[DecodeRequest]], Awaitable[Sequence[Hypothesis | Failed]]]


class _Last(NamedTuple):
    """What was heard up to the final of an utterance, by its number."""

    utterance: int
    heard: Heard
    at: float
    """When the final was appended to the log, in epoch seconds."""


class _Looked(NamedTuple):
    """For which utterance of a track the log was read, when, in epoch seconds, and what was found."""

    utterance: int
    at: float
    found: _Last


_Known = TypeVar("_Known")


class SessionLanguages:
    """Chooses the language of utterances whose session asks for ``auto``. Others keep theirs."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._last: dict[TrackId, _Last] = {}
        self._looked: dict[TrackId, _Looked] = {}

    async def recall(self, utterances: Sequence[Utterance], *, final: bool) -> None:
        """Read from the log what it knows of these utterances' sessions and this worker does not. Raises ``LogError``.

        For a final that is what the final just before it said, for a partial anything. What is remembered may be newer
        than a final: its audio is read again where the worker published it and could not commit.
        """
        missing = [utterance for utterance in utterances if self._misses(utterance, final=final)]
        for utterance in missing:
            found = await self._last_on_log(utterance)
            if final:
                utterance.heard = _heard_before(utterance, found)
            known = self._last.get(utterance.id.track)
            if known is None or found.utterance > known.utterance:
                _set(self._last, utterance.id.track, found)

    def request(self, utterance: Utterance, request: DecodeRequest) -> DecodeRequest:
        """The request in the language to decode in now, which is ``auto`` as long as there is no evidence."""
        settings = utterance.settings
        if settings.language != AUTO:
            return request
        before = self._before(utterance)
        if request.final:
            language, detected = before.language, True
        else:
            language = utterance.language or before.language
            detected = not utterance.language_sure and (before.language is None or _seconds(request) >= SETTLED)
        return replace(request, language=language or AUTO, languages=settings.languages, detected=detected)

    def partial(self, utterance: Utterance, request: DecodeRequest, found: Hypothesis) -> None:
        """Take in what a partial says: it tells in which language the next partials of its utterance are decoded."""
        if utterance.settings.language != AUTO or not found.language_probabilities:
            return
        speech = _speech(request, found)
        after = self._before(utterance).after(found.language_probabilities, speech)
        utterance.language = after.best(found.language_probabilities, speech)
        utterance.language_sure = _seconds(request) >= SETTLED

    async def finals(
        self,
        utterances: Sequence[Utterance],
        requests: Sequence[DecodeRequest],
        results: Sequence[Hypothesis | Failed],
        decode: DecodeAgain,
    ) -> list[Hypothesis | Failed]:
        """The results of finals, each in its language: those that were decoded in another one are decoded again."""
        results = list(results)
        again: dict[int, DecodeRequest] = {}
        for i, (utterance, request, found) in enumerate(zip(utterances, requests, results, strict=True)):
            if utterance.settings.language != AUTO:
                continue
            utterance.heard = before = self._before(utterance)
            utterance.heard_after = before
            utterance.language = before.language or utterance.language
            if isinstance(found, Failed) or not found.language_probabilities:
                continue
            speech = _speech(request, found)
            utterance.heard_after = before.after(found.language_probabilities, speech)
            utterance.language = utterance.heard_after.best(found.language_probabilities, speech) or found.language
            if utterance.language != found.language:
                again[i] = replace(request, language=utterance.language, detected=False)
        if again:
            for i, second in zip(again, await decode(list(again.values())), strict=True):
                results[i] = results[i] if isinstance(second, Failed) else second
        return results

    def published(self, utterance: Utterance) -> None:
        """The final of the utterance is on the log."""
        if utterance.heard_after is not None:
            last = _Last(utterance.id.utterance, utterance.heard_after, self._clock.wall())
            _set(self._last, utterance.id.track, last)
            self._looked.pop(utterance.id.track, None)

    def _before(self, utterance: Utterance) -> Heard:
        """What the session's finals before the utterance said. A second final hears what its first one did."""
        if utterance.heard is not None:
            return utterance.heard
        known = self._last.get(utterance.id.track)
        return Heard() if known is None else _heard_before(utterance, known)

    def _misses(self, utterance: Utterance, *, final: bool) -> bool:
        first, number = utterance.settings.first_utterance, utterance.id.utterance
        if utterance.settings.language != AUTO or utterance.heard is not None or first is None or number <= first:
            return False
        known = self._last.get(utterance.id.track)
        return known is None or (final and known.utterance != number - 1)

    async def _last_on_log(self, utterance: Utterance) -> _Last:
        """What the latest final before the utterance said; nothing where none of the last hour is on the log."""
        track, number = utterance.id.track, utterance.id.utterance
        looked = self._looked.get(track)
        now = self._clock.wall()
        if looked is not None and looked.utterance == number:
            starts, known = [looked.at - LOOKED_BACK[0]], looked.found
        else:
            starts, known = [utterance.opened - seconds for seconds in LOOKED_BACK], _Last(-1, Heard(), 0.0)
        partition = self._log.partition_of(CAPTIONS, track.room.key)
        found, end = known, None
        for since in starts:
            async for entry in entries_between(self._log, CAPTIONS, partition, since=since, end=end):
                last = _last_in(entry, utterance.id)
                if last is not None and last.utterance > found.utterance:
                    found = last
            if found.utterance >= 0:
                break
            end = await self._log.offset_at(CAPTIONS, partition, since)
        _set(self._looked, track, _Looked(number, now, found))
        return found


def _set(known: dict[TrackId, _Known], track: TrackId, value: _Known) -> None:
    """Remember a value of the track, and forget the track that was set longest ago where there are too many."""
    known.pop(track, None)
    known[track] = value
    if len(known) > MOST_TRACKS:
        del known[next(iter(known))]


def _heard_before(utterance: Utterance, last: _Last) -> Heard:
    """What ``last`` says to the utterance; nothing where it is of another session, not before it, or too old."""
    first = utterance.settings.first_utterance
    if first is None or not first <= last.utterance < utterance.id.utterance:
        return Heard()
    return last.heard if utterance.opened - last.at <= LOOKED_BACK[-1] else Heard()


def _last_in(entry: Entry, before: CaptionId) -> _Last | None:
    """What the final in an entry says, where it is one of the track's finals before the caption."""
    if entry.record.key != before.track.room.key or (header := heard_in(entry.record)) is None:
        return None
    try:
        event = read_room_event(entry.record)
        if not isinstance(event, CaptionMessage) or event.track != before.track.name:
            return None
        return (
            _Last(event.utterance, Heard.read(header), entry.timestamp) if event.utterance < before.utterance else None
        )
    except RecordError as error:
        logger.warning("record_skipped", partition=entry.partition, offset=entry.offset, error=str(error))
        return None


def _speech(request: DecodeRequest, found: Hypothesis) -> float:
    """The seconds that tell the language: none where there are no words, fewer where it may be noise."""
    return _seconds(request) * (1 - found.no_speech_probability) if found.words else 0.0


def _seconds(request: DecodeRequest) -> float:
    return len(request.pcm) / SAMPLE_RATE
