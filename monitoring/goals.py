"""How good is good enough: the goals of live captions, and the objectives that alerts keep.

This is the one place where they stand. ``livecaptions top``, the dashboards and the benchmarks read them here. Rules of
alerts, buckets and docs cannot; tests/monitoring hold them to it.
"""

import math
from typing import NamedTuple


class Goal(NamedTuple):
    """Up to ``good`` all is well; up to ``bearable`` viewers notice; beyond it somebody should act (inf: nobody)."""

    good: float
    bearable: float = math.inf


FIRST_PARTIAL = Goal(1.2, 2.0)
"""Seconds from an utterance's onset to its first words, of 95 in 100."""
WORD_SHOWN_MEDIAN = Goal(0.4, 0.9)
"""Seconds from a word's end to its first correct appearance."""
WORD_SHOWN = Goal(0.9, 1.5)
"""Likewise, of 95 words in 100; the second is the objective's."""
WORD_STABLE_MEDIAN = Goal(0.6)
"""Seconds from a word's end until it stands for good; only benchmarks measure it."""
WORD_STABLE = Goal(1.1)
"""Likewise, of 95 words in 100."""
FINAL = Goal(0.4, 2.0)
"""Seconds from the endpoint's decision to the final, of 95 in 100; the second is the objective's."""
WORDS_IN_TIME = Goal(0.97, 0.95)
"""Share of words that are shown within the objective's time; the second is its target."""
FINALS_IN_TIME = Goal(0.995, 0.99)
"""Likewise of finals."""
ERASURE = Goal(0.10, 0.25)
"""Words taken back for each word of the finals."""
AUDIO_BEHIND = Goal(1.5, 5.0)
"""Seconds that the oldest unheard audio of a partition has waited."""
FINALS_OVERDUE = Goal(2.0, 8.0)
"""Seconds that the final waited for longest is awaited; from ``overload_after`` on newcomers are refused."""
REAL_TIME_FACTOR = Goal(0.5, 1.0)
"""Seconds of decoding for each second of audio; from 1 on a worker falls behind."""
EVENT_LOOP_LAG = Goal(0.02, 0.1)
"""Seconds that what is due waits for its turn: the gateway's share of every latency."""
CONFIDENCE = Goal(0.8, 0.6)
"""Of the median word, between 0 and 1: here more is better."""
