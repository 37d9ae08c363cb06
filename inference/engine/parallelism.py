"""How many decodes run at the same time, and on how many threads each."""

import os
from dataclasses import dataclass
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container, in Linux's control groups v2
_ON_A_GPU = 2  # one batch is prepared while the other is computed
_WEIGHTS_OF_A_THREAD = 150e6  # bytes: tiny and base want one thread, small.en two (docs/capacity.md)
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class Parallelism:
    """``decoders`` batches at the same time, on ``threads`` CPU threads each."""

    decoders: int
    threads: int

    @classmethod
    def choose(cls, *, decoders: int, threads: int, device: str, weights: int, cores: int) -> "Parallelism":
        """What was asked for; of what is 0, as much as the cores hold.

        Small models are decoded on one thread, so that there is a decoder for each core; those with more bytes of
        ``weights`` on up to four, since one would take longer for a partial than they come apart. On a GPU two batches
        are in flight, whatever the cores.
        """
        if device == "cuda":
            return cls(decoders or _ON_A_GPU, threads or 1)
        wanted = threads or min(_MOST_THREADS, max(1, round(weights / _WEIGHTS_OF_A_THREAD)))
        decoders = decoders or max(1, cores // wanted)
        return cls(decoders, threads or max(1, cores // decoders))


def available_cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may use: those it may run on, and no more than its container's share, rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if most == "max" else min(cores, max(1, -(-int(most) // int(period))))
