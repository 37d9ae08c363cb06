"""Chooses the utterances to decode next: finals first, then the partial with the most new audio.

An utterance waits at most once and is decoded with all of its audio so far. So where decoding is slower than speech,
partials come less often, and not at all while finals wait.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

from captions.audio import to_samples
from captions.track import TrackId
from inference.settings import WorkerSettings
from inference.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances to decode together, all finals or all partials."""

    utterances: tuple[Utterance, ...]
    final: bool


class BatchKey(Protocol):
    """``Decoders.batch_key``."""

    def __call__(self, model: str | None, samples: int, *, final: bool) -> Hashable:
        """The key of windows of so many samples: see ``Decoders.batch_key``."""
        ...


class Scheduler:
    """Chooses batches. ``batch_key`` is that of the decoders: only windows that share it are decoded together."""

    def __init__(self, settings: WorkerSettings, batch_key: BatchKey) -> None:
        self._batch_key = batch_key
        self._interval = to_samples(settings.partial_interval)
        self._first = to_samples(settings.first_partial)
        self._most = settings.max_batch
        self._backlogs_turn = True

    def waiting(self, utterances: Iterable[Utterance]) -> int:
        """The number of utterances that wait for a decode."""
        return sum(1 for utterance in utterances if utterance.complete or self._due(utterance))

    def waits(self, utterance: Utterance) -> bool:
        """Whether the utterance waits for a decode, or for the end of one."""
        return utterance.complete or utterance.decoding or self._due(utterance)

    def next(self, utterances: Iterable[Utterance], *, decoders: int = 1) -> Batch | None:
        """The next batch; None where nothing is due. ``decoders`` is how many decoders are idle and share what is due.

        Only the oldest final of each track is due, so that a track that sends an hour at once does not delay others.
        Tracks with one final go first. Tracks with several take turns with the partials of the others. A track waits
        while its final is decoded, so that its captions come in order.
        """
        utterances = list(utterances)
        finishing = {utterance.id.track for utterance in utterances if utterance.decoding and utterance.complete}
        idle = [u for u in utterances if not u.decoding and u.id.track not in finishing]
        complete: dict[TrackId, list[Utterance]] = {}
        for utterance in sorted((u for u in idle if u.complete), key=lambda u: (u.ended or 0.0, u.first_offset)):
            complete.setdefault(utterance.id.track, []).append(utterance)
        finals = [waiting[0] for waiting in complete.values() if len(waiting) == 1]
        if finals:
            return self._batch(finals, decoders, final=True)
        backlog = [waiting[0] for waiting in complete.values()]
        due = (u for u in idle if self._due(u) and u.id.track not in complete)
        partials = sorted(due, key=lambda u: (-u.fresh, u.first_offset))
        if backlog and (self._backlogs_turn or not partials):
            self._backlogs_turn = False
            return self._batch(backlog, decoders, final=True)
        self._backlogs_turn = True
        return self._batch(partials, decoders, final=False) if partials else None

    def _due(self, utterance: Utterance) -> bool:
        if utterance.complete or utterance.decoding or utterance.deleted or utterance.samples < self._first:
            return False
        if utterance.given_up:  # it has a final, and no partial may follow
            return False
        return utterance.fresh >= self._interval or (utterance.paused and utterance.fresh > 0)

    def _batch(self, ordered: list[Utterance], decoders: int, *, final: bool) -> Batch:
        """The first utterance and others with its batch key: at most one decoder's share of all."""
        keys = [self._key(utterance, final=final) for utterance in ordered]
        fitting = [u for u, key in zip(ordered, keys, strict=True) if key == keys[0]]
        return Batch(tuple(fitting[: min(self._most, -(-len(ordered) // decoders))]), final=final)

    def _key(self, utterance: Utterance, *, final: bool) -> Hashable:
        samples = utterance.samples if final else utterance.samples - utterance.window_start
        return self._batch_key(utterance.settings.model, samples, final=final)
