"""How long audio waits for a decode."""

from collections.abc import Callable, Iterable

from inference.utterance import Utterance


def audio_behind(
    utterances: Iterable[Utterance], partitions: Iterable[int], waits: Callable[[Utterance], bool], now: float
) -> dict[int, float]:
    """Seconds that the oldest audio of each owned partition has waited at epoch second ``now``; 0 where none waits.

    Only utterances for which ``waits`` is true count: one whose publisher stalls waits for audio, not for a decode.
    """
    behind = dict.fromkeys(partitions, 0.0)
    for utterance in utterances:
        since = utterance.waits_since
        if since is not None and utterance.partition in behind and waits(utterance):
            behind[utterance.partition] = max(behind[utterance.partition], now - since)
    return behind
