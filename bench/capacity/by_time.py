"""Latencies from utterance times, for models with random weights, whose words match no reference."""

from collections.abc import Sequence

from captions.quality import ENDPOINT, Arrival, Spoken

EARLY = 0.5
"""The most seconds by which an utterance begins before its first word."""


def latencies(arrivals: Sequence[Arrival], reference: Sequence[Spoken]) -> tuple[list[float], list[float]]:
    """Latencies of first partials and finals in seconds, as ``captions.quality`` defines them.

    The words of an utterance are the words of the reference that begin between its start and the start of the next
    utterance. The start of a caption is known even if its words have no times.
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
