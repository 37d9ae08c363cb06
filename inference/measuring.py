"""Reports published captions to the probe."""

from captions.caption import Caption
from captions.ports.probe import Probe
from captions.quality import comparable_words
from inference.utterance import Utterance


def report_partial(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """Report a partial that was appended to the log at epoch second ``at``."""
    _report_first(probe, utterance, caption, at)
    if utterance.partial_at is not None:
        probe.partial_interval(max(0.0, at - utterance.partial_at))
    utterance.partial_at = at
    probe.partial(utterance.history.show(comparable_words(caption.text, caption.language), at))


def report_final(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """Report a final that was appended to the log at epoch second ``at``; its words have times."""
    ends = [(text, word.end) for word in caption.words for text in comparable_words(word.text, caption.language)]
    words = [text for text, _ in ends]
    if words:
        _report_first(probe, utterance, caption, at)
    probe.final(len(words), utterance.history.show(words, at))
    for (_, end), first in zip(ends, utterance.history.first_shown(words), strict=True):
        if end is not None and first is not None:
            probe.word_shown(max(0.0, first - utterance.spoken_at(end)))
    for word in caption.words:
        if word.confidence is not None:
            probe.word_confidence(word.confidence)
    if utterance.ended is not None:
        probe.final_latency(max(0.0, at - utterance.ended))


def _report_first(probe: Probe, utterance: Utterance, caption: Caption, at: float) -> None:
    """Report the first words of an utterance. Under load they come with its final."""
    if utterance.history.empty:
        probe.first_partial(max(0.0, at - utterance.spoken_at(caption.start)))
