"""What is promised of captions, whoever makes them."""

import itertools
from typing import Any

from jiwer import process_words
from whisper_normalizer.english import EnglishTextNormalizer

from tests.e2e.conftest import Heard

normalize = EnglishTextNormalizer()


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Of the normalised texts."""
    return float(process_words(normalize(reference), normalize(hypothesis)).wer)


def assert_captions_kept_their_promises(heard: Heard) -> None:
    """Guarantees 2 and 3, on everything one publisher was told."""
    by_utterance: dict[int, list[dict[str, Any]]] = {}
    for caption in heard.of("caption"):
        by_utterance.setdefault(caption["utterance"], []).append(caption)
    for captions in by_utterance.values():
        revisions = [caption["revision"] for caption in captions]
        assert revisions == sorted(set(revisions)), "captions went backwards"
        assert [caption["final"] for caption in captions] == [False] * (len(captions) - 1) + [True]
        for earlier, later in itertools.pairwise(captions[:-1]):
            stable = earlier["stable"]
            assert later["text"].split()[:stable] == earlier["text"].split()[:stable], "a stable word moved"
    offsets = [ack["offset"] for ack in heard.of("ack")]
    assert offsets == sorted(offsets)
    assert heard.messages[-1]["type"] == "done"
