"""What the second pass leaves alone: captions whose words it did not hear, of other languages, with terms it lost."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from captions.caption import Pass
from captions.messages import CaptionMessage, PassLabel
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.records import AUDIO, CAPTIONS, write_audio, write_room_event
from captions.session import SessionSettings
from captions.terms import Term
from captions.track import RoomId
from captions.words import Word
from inference.decoders import Decoder, Decoders
from inference.engine.scripted import ScriptedEngine, ScriptedWord, scripted_audio
from inference.refine import Refiner
from inference.second_pass import RefineSettings, at_once
from inference.settings import WorkerSettings
from tests.inference.speaking import SESSION, segments
from tests.support import LoopClock, RecordingProbe, inline, memory_log, terms, told, worker_on

pytestmark = pytest.mark.looptime

Hear = Callable[[DecodeRequest, Hypothesis], Hypothesis]

LINES = ("the log is the spine", "it never loses words", "we build it here")


class Ear(ScriptedEngine):
    """Hears what ``hear`` makes of the script; it remembers what it was asked."""

    def __init__(self, script: Sequence[ScriptedWord], hear: Hear = lambda _, found: found) -> None:
        super().__init__(script)
        self.requests: list[DecodeRequest] = []
        self._hear = hear

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.requests += requests
        found = super().decode(requests)
        return [self._hear(request, one) for request, one in zip(requests, found, strict=True)]


def said(*lines: str) -> list[ScriptedWord]:
    """Lines with a pause of a second after each."""
    script: list[ScriptedWord] = []
    at = 0.5
    for line in lines:
        for word in line.split():
            script.append(ScriptedWord(word, at, at + 0.4))
            at += 0.43
        at += 1.0
    return script


async def captions_of(
    lines: Sequence[str], live: Hear, refined: Hear, *settings: SessionSettings, newer: PassLabel | None = None
) -> tuple[list[str], list[CaptionMessage], Ear, RecordingProbe]:
    """The live texts of ``lines``, what the second pass published, its ear, and its probe.

    The settings are those of each line, or of all. Before the second pass the first caption gets a version of pass
    ``newer`` with other words.
    """
    script = said(*lines)
    ear, log, probe = Ear(script, refined), memory_log(), RecordingProbe()
    refiner = Refiner(
        log,
        Decoders(Decoder(ear, inline(ear, 0.1))),
        clock=LoopClock(),
        probe=probe,
        settings=WorkerSettings(),
        refine=RefineSettings(),
        spare_time=at_once,
    )
    async with worker_on(log, Ear(script, live)):
        task = asyncio.create_task(refiner.run())
        began = asyncio.get_running_loop().time()
        for segment in segments(scripted_audio(script, script[-1].end + 1.0)):
            own = settings[segment.utterance % len(settings)] if settings else SESSION
            spoken = (segment.start + len(segment.pcm)) / 16_000
            await asyncio.sleep(began + spoken - asyncio.get_running_loop().time())
            await log.append(AUDIO, write_audio(replace(segment, settings=own if segment.settings else None)))
        await asyncio.sleep(2)
        if newer is not None:
            other = {"pass_": newer, "text": "something else"}
            first = (await told(log, CAPTIONS)).finals[0].model_copy(update=other)
            await log.append(CAPTIONS, write_room_event(RoomId("hall"), first))
        await asyncio.sleep(30)
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})
    finals = (await told(log, CAPTIONS)).finals
    texts = [caption.text for caption in finals if caption.version.pass_ is Pass.LIVE]
    return texts, [caption for caption in finals if caption.version.pass_ is Pass.REFINED], ear, probe


def as_said(_: DecodeRequest, found: Hypothesis) -> Hypothesis:
    return found


def with_words(change: Callable[[Word], Word | None]) -> Hear:
    """Hears each word as ``change`` makes it; None skips it."""

    def hear(_: DecodeRequest, found: Hypothesis) -> Hypothesis:
        return replace(found, words=tuple(heard for word in found.words if (heard := change(word)) is not None))

    return hear


def instead(**heard: str) -> Hear:
    return with_words(lambda word: replace(word, text=heard.get(word.text, word.text)))


async def test_a_window_that_a_gate_withdraws_wipes_nothing() -> None:
    def doubt(_: DecodeRequest, found: Hypothesis) -> Hypothesis:
        return replace(found, no_speech_probability=0.9, mean_log_probability=-3.0)

    live, refined, ear, _ = await captions_of(LINES, as_said, doubt)
    assert live == list(LINES)
    assert ear.requests
    assert refined == []


async def test_a_sentence_that_is_skipped_keeps_its_live_caption() -> None:
    skipped = set(LINES[1].split()) - {"it"}
    hear = with_words(lambda word: None if word.text in skipped else replace(word, text=word.text.upper()))
    lines = (LINES[0], "never loses words", LINES[2])
    live, refined, _, probe = await captions_of(lines, as_said, hear)
    assert live == list(lines)
    assert [(caption.utterance, caption.text) for caption in refined] == [(0, lines[0].upper()), (2, lines[2].upper())]
    assert [changed for _, (_, _, changed, _) in probe.calls["refined"]] == [0, 0, 0]


GERMAN = {"der", "die", "und"}


def detected(request: DecodeRequest, found: Hypothesis) -> Hypothesis:
    if request.language != "auto":
        return found
    language = "de" if any(word.text in GERMAN for word in found.words) else "en"
    return replace(found, language=language, language_probabilities={language: 0.99})


loud = with_words(lambda word: replace(word, text=word.text.upper()))


AUTO = replace(SESSION, language="auto", languages=("de", "en"))
MIXED = ("der eine und die anderen", "die drei und der vierte", "we all build it here", "und die und der")


async def test_each_language_is_decoded_in_itself() -> None:
    _, refined, ear, _ = await captions_of(MIXED, detected, loud, AUTO)
    assert {caption.utterance: caption.language for caption in refined}[2] == "en"
    asked = [(request.language, request.languages) for request in ear.requests]
    assert asked == [("de", ("de", "en")), ("en", ("de", "en")), ("de", ("de", "en"))]
    assert [caption.language for caption in refined] == ["de", "de", "en", "de"]


async def test_an_english_only_model_leaves_other_languages_alone() -> None:
    def english(request: DecodeRequest, found: Hypothesis) -> Hypothesis:
        return replace(loud(request, found), language="en")

    _, refined, _, _ = await captions_of(MIXED, detected, english, AUTO)
    assert [caption.utterance for caption in refined] == [2]
    _, refined, _, _ = await captions_of(MIXED, as_said, english, replace(SESSION, language="de-CH"))
    assert refined == []


TERMS = replace(SESSION, vocabulary=terms("Levenshtein", "Kubernetes"))
ONE_TERM = replace(SESSION, vocabulary=terms("Levenshtein"))
OF_TERMS = ("the Levenshtein distance is short", "we run it here every day")


async def test_terms_of_the_live_captions_are_expected() -> None:
    def hear(request: DecodeRequest, found: Hypothesis) -> Hypothesis:
        if "Levenshtein" in request.vocabulary:
            return instead(day="night")(request, found)
        return instead(Levenshtein="loafing", distance="this", day="night")(request, found)

    live, refined, ear, _ = await captions_of(OF_TERMS, as_said, hear, TERMS)
    assert live == list(OF_TERMS)
    assert ear.requests[0].vocabulary == ("Levenshtein",)
    assert [(caption.utterance, caption.text) for caption in refined] == [(1, "we run it here every night")]


@pytest.mark.parametrize("newer", ["refined", "edited"])
async def test_what_is_heard_depends_on_no_later_version(newer: PassLabel) -> None:
    """So a window is heard alike by whoever takes over from a member that published a part of it."""
    _, refined, ear, _ = await captions_of(OF_TERMS, as_said, instead(day="night"), ONE_TERM, newer=newer)
    assert [request.vocabulary for request in ear.requests] == [("Levenshtein",)]
    assert [caption.text for caption in refined if caption.utterance == 1] == ["we run it here every night"]


async def test_a_caption_that_would_lose_a_term_is_left_alone() -> None:
    hear = instead(Levenshtein="loafing", day="night")
    _, refined, _, _ = await captions_of(OF_TERMS, as_said, hear, TERMS)
    assert [(caption.utterance, caption.text) for caption in refined] == [(1, "we run it here every night")]


async def test_no_term_is_found_over_the_boundary_of_two_captions() -> None:
    settings = replace(SESSION, vocabulary=(Term(text="kubectl", sounds_like=("cube control",)),))
    lines = ("this is a green cube", "control is what we want")
    _, refined, _, _ = await captions_of(lines, as_said, instead(green="red", want="need"), settings)
    assert [caption.text for caption in refined] == ["this is a red cube", "control is what we need"]
    _, refined, _, _ = await captions_of(("this is cue control", *lines), as_said, instead(cue="cube"), settings)
    assert [caption.text for caption in refined] == ["this is kubectl"]


async def test_a_corrected_word_makes_doubtful_words_no_surer() -> None:
    lines = ("this is what is sure", "cube control now")

    def doubt(_: DecodeRequest, found: Hypothesis) -> Hypothesis:
        doubtful = set(lines[1].split())
        words = (replace(word, confidence=0.3 if word.text in doubtful else 0.95) for word in found.words)
        return replace(found, words=tuple(words), no_speech_probability=0.7, mean_log_probability=-0.1)

    settings = replace(SESSION, vocabulary=(Term(text="kubectl", sounds_like=("cube control",)),))
    _, refined, ear, _ = await captions_of(lines, instead(control="patrol"), doubt, settings)
    assert ear.requests
    assert refined == []


async def test_windows_have_one_session_and_the_terms_of_it() -> None:
    other = replace(SESSION, session="t", vocabulary=terms("Kubernetes"))
    lines = ("the Levenshtein distance is short", "the Kubernetes cluster is large")
    _, _, ear, _ = await captions_of(lines, as_said, as_said, ONE_TERM, other)
    assert [request.vocabulary for request in ear.requests] == [("Levenshtein",), ("Kubernetes",)]


async def test_a_window_has_the_terms_of_all_its_utterances() -> None:
    later = replace(TERMS, vocabulary=terms("Kubernetes"))
    first = replace(TERMS, vocabulary=terms("Levenshtein"))
    lines = ("the Levenshtein distance is short", "the Kubernetes cluster is large")
    _, _, ear, _ = await captions_of(lines, as_said, as_said, first, later)
    assert [request.vocabulary for request in ear.requests] == [("Levenshtein", "Kubernetes")]
