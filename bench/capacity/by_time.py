"""Latencies where no word can be told by its text, as with a model of random weights: by utterances' times."""

from collections.abc import Sequence

from captions.quality import ENDPOINT, Arrival, Spoken

EARLY = 0.5
"""Seconds by which an utterance may begin before its first word."""


def latencies(arrivals: Sequence[Arrival], reference: Sequence[Spoken]) -> tuple[list[float], list[float]]:
    """First partials and finals in seconds, as ``captions.quality`` defines them.

    An utterance's words are those of the reference that begin after it does and before the next one does: when it
    begins is known of captions whose words are not timed.
    """
    histories: dict[int, list[Arrival]] = {}
    for arrival in arrivals:
        histories.setdefault(arrival.caption.utterance, []).append(arrival)
    ordered = [history for _, history in sorted(histories.items()) if any(a.caption.text for a in history)]
    starts = [min(arrival.caption.start for arrival in history) for history in ordered]
    first_partials, finals = [], []
    for history, start, following in zip(ordered, starts, [*starts[1:], float("inf")], strict=False):
        words = [word for word in reference if start <= word.start + EARLY and word.start < following]
        final = next((arrival.at for arrival in history if arrival.caption.final), None)
        if not words or final is None:
            continue
        shown = next(arrival.at for arrival in history if arrival.caption.text)
        first_partials.append(max(0.0, shown - words[0].start))
        finals.append(max(0.0, final - words[-1].end - ENDPOINT))
    return first_partials, finals
