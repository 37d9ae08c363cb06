"""What was published, as the probe is told of it."""

from captions.caption import Caption
from captions.ports.probe import Probe
from captions.quality import comparable_words
from inference.utterance import Utterance


def measure_partial(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """A partial is on the log since epoch second ``at``."""
    _measure_first(probe, utterance, caption, at)
    if utterance.partial_at is not None:
        probe.partial_interval(max(0.0, at - utterance.partial_at))
    utterance.partial_at = at
    probe.partial(utterance.history.show(comparable_words(caption.text, caption.language), at))


def measure_final(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """A final is on the log since epoch second ``at``; its words are timed."""
    ends = [(text, word.end) for word in caption.words for text in comparable_words(word.text, caption.language)]
    words = [text for text, _ in ends]
    if words:
        _measure_first(probe, utterance, caption, at)
    probe.final(len(words), utterance.history.show(words, at))
    for (_, end), first in zip(ends, utterance.history.first_shown(words), strict=True):
        if end is not None and first is not None:
            probe.word_shown(max(0.0, first - utterance.spoken_at(end)))
    for word in caption.words:
        if word.confidence is not None:
            probe.word_confidence(word.confidence)
    if utterance.ended is not None:
        probe.final_latency(max(0.0, at - utterance.ended))


def _measure_first(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """The words are the utterance's first, if none were shown: under load those are its final's."""
    if utterance.history.empty:
        probe.first_partial(max(0.0, at - utterance.spoken_at(caption.start)))
