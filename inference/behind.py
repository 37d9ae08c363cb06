"""How far a worker is behind what was said."""

from collections.abc import Callable, Iterable

from inference.utterance import Utterance


def audio_behind(
    utterances: Iterable[Utterance], partitions: Iterable[int], waits: Callable[[Utterance], bool], now: float
) -> dict[int, float]:
    """Seconds that each owned partition's oldest audio waits for a decode at epoch second ``now``; 0 where none does.

    ``waits`` tells which utterances do: what a stalled publisher left half said waits for its publisher, not for us.
    """
    behind = dict.fromkeys(partitions, 0.0)
    for utterance in utterances:
        since = utterance.waits_since
        if since is not None and utterance.partition in behind and waits(utterance):
            behind[utterance.partition] = max(behind[utterance.partition], now - since)
    return behind
