"""How good is good enough: what figures are measured against, here and on the dashboards."""

from typing import NamedTuple


class Goal(NamedTuple):
    """Up to ``good`` all is well; up to ``bearable`` viewers notice; beyond it somebody should act."""

    good: float
    bearable: float


WORD_SHOWN_MEDIAN = Goal(0.4, 0.9)
"""Seconds from a word's end to its first correct appearance."""
WORD_SHOWN = Goal(0.9, 1.5)
"""Likewise, of 95 words in 100; the second is the objective's."""
FIRST_PARTIAL = Goal(1.2, 2.0)
"""Seconds from an utterance's onset to its first words, of 95 in 100."""
FINAL = Goal(0.4, 2.0)
"""Seconds from the endpoint's decision to the final, of 95 in 100; the second is the objective's."""
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
