"""The simulator on the real worker, with the scripted engine: no weights, no waiting. And the causes of erasures."""

from collections.abc import Sequence

import numpy as np
import pytest

from bench.words.erasures import FINAL, GUESS, SPLIT, STABLE, UNFINISHED, WITHDRAWN, erasures
from bench.words.simulated import Cost, Remembering, Sent, live
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.quality import Arrival, measure
from captions.segmenter import Piece
from inference.engine.scripted import ScriptedEngine, ScriptedWord
from inference.settings import WorkerSettings
from tests.captions.messages import caption
from tests.inference.speaking import segments
from tests.support import script_of

COST = Cost(fixed=0.05, per_second=0.01)


def sent_of(utterances: int) -> tuple[list[ScriptedWord], list[Sent]]:
    script, pcm = script_of(utterances)
    pieces = [
        Sent(
            (one.start + len(one.pcm)) / 16_000,
            Piece(
                utterance=one.utterance,
                number=one.number,
                start=one.start,
                pcm=one.pcm,
                last=one.last,
                end=one.end,
                paused=one.paused,
            ),
        )
        for one in segments(pcm)
    ]
    return script, pieces


def test_the_same_captions_come_at_the_same_times_in_every_run() -> None:
    words, pieces = sent_of(2)
    first, second = (live(ScriptedEngine(words), pieces, WorkerSettings(), COST) for _ in range(2))
    assert [(one.at, one.caption.text) for one in first] == [(one.at, one.caption.text) for one in second]
    assert [one.caption.utterance for one in first if one.caption.final] == [0, 1]
    quality = measure(first, words)
    assert len(quality.word_shown) == len(words)
    assert all(one.at > one.caption.start for one in first)


def test_a_slower_decode_shows_words_later() -> None:
    words, pieces = sent_of(2)
    quick, slow = (
        measure(live(ScriptedEngine(words), pieces, WorkerSettings(), Cost(fixed=fixed, per_second=0)), words)
        for fixed in (0.05, 0.6)
    )
    assert np.mean(slow.word_shown) > np.mean(quick.word_shown) + 0.3


def test_a_request_is_decoded_once_for_each_name() -> None:
    words, pieces = sent_of(1)
    decoded: list[DecodeRequest] = []

    class Counting(ScriptedEngine):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            decoded.extend(requests)
            return super().decode(requests)

    known: dict[str, Hypothesis] = {}
    runs = [live(Remembering(Counting(words), name, known), pieces, WorkerSettings(), COST) for name in ("a", "a", "b")]
    assert len(decoded) == len(known) > 0
    assert [one.caption.text for one in runs[0]] == [one.caption.text for one in runs[1]]


def versions(*texts: str, stable: int = 0) -> list[Arrival]:
    """Partials of one utterance, and a final at the end."""
    shown: list[CaptionMessage] = [
        caption(text=text, revision=n, final=n == len(texts) - 1, stable=stable) for n, text in enumerate(texts)
    ]
    return [Arrival(float(n), one) for n, one in enumerate(shown)]


@pytest.mark.parametrize(
    ("texts", "stable", "cause", "counted", "changed"),
    [
        (("so the cap", "so the captions stand", "so the captions stand"), 0, UNFINISHED, 1, 1),
        (("i voice", "a voice activity detector", "a voice activity detector"), 0, GUESS, 2, 1),
        (("and thank you", "and", "and"), 0, WITHDRAWN, 2, 2),
        (("the wood cutters of the land", "the woodcutters of the land"), 0, SPLIT, 5, 2),
        (("we unplug the server now", "we unplugged the server now"), 5, STABLE, 4, 1),
        (("we pull the server now", "we unplugged the server now"), 0, FINAL, 4, 1),
        (("in 6", "in six rooms", "in six rooms"), 0, "numbers and spellings: 6 / six", 1, 1),
    ],
)
def test_the_cause_of_an_erasure(texts: tuple[str, ...], stable: int, cause: str, counted: int, changed: int) -> None:
    (found,) = erasures(versions(*texts, stable=stable))
    assert (found.cause, found.counted, found.changed) == (cause, counted, changed)
