"""Which utterances to decode next: finals first, then the partial that has waited for the most audio.

An utterance waits at most once, and is decoded with all audio heard so far (latest wins): where decoding is
slower than speech, partials come less often by themselves, and not at all while finals wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from captions.audio import to_samples
from inference.settings import WorkerSettings
from inference.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances to decode together, all finals or all partials."""

    utterances: tuple[Utterance, ...]
    final: bool


class Scheduler:
    """Chooses batches."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._interval = to_samples(settings.partial_interval)
        self._first = to_samples(settings.first_partial)
        self._most = settings.max_batch
        self._backlogs_turn = True

    def waiting(self, utterances: Iterable[Utterance]) -> int:
        """How many utterances wait for a decode."""
        return sum(1 for utterance in utterances if utterance.complete or self._due(utterance))

    def waits(self, utterance: Utterance) -> bool:
        """Whether the utterance waits for a decode, or for the end of one."""
        return utterance.complete or utterance.decoding or self._due(utterance)

    def next(self, utterances: Iterable[Utterance]) -> Batch | None:
        """The next batch; None where nothing is due.

        Of finals a track's oldest only, lest one that sends an hour at once is heard before all others. A track with
        several waiting goes after those with one, and takes turns with the partials of tracks that keep pace.
        """
        idle = [utterance for utterance in utterances if not utterance.decoding]
        complete: dict[tuple[str, str], list[Utterance]] = {}
        for utterance in sorted((u for u in idle if u.complete), key=lambda u: (u.ended or 0.0, u.first_offset)):
            complete.setdefault(utterance.id[:2], []).append(utterance)
        finals = [waiting[0] for waiting in complete.values() if len(waiting) == 1]
        if finals:
            return Batch(self._company(finals), final=True)
        backlog = [waiting[0] for waiting in complete.values()]
        due = (u for u in idle if self._due(u) and u.id[:2] not in complete)
        partials = sorted(due, key=lambda u: (-u.fresh, u.first_offset))
        if backlog and (self._backlogs_turn or not partials):
            self._backlogs_turn = False
            return Batch(self._company(backlog), final=True)
        self._backlogs_turn = True
        return Batch(self._company(partials), final=False) if partials else None

    def _due(self, utterance: Utterance) -> bool:
        if utterance.complete or utterance.decoding or utterance.samples < self._first:
            return False
        if utterance.given_up:  # it has a final: no partial may follow
            return False
        return utterance.fresh >= self._interval or (utterance.paused and utterance.fresh > 0)

    def _company(self, ordered: list[Utterance]) -> tuple[Utterance, ...]:
        return tuple(ordered[: self._most])
