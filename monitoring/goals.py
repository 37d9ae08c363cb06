"""Quality goals of live captions, and the objectives that alerts check.

This module is the only definition. ``livecaptions top``, the dashboards and the benchmarks import it. Alert rules,
buckets and docs repeat the values; tests in tests/monitoring compare them.
"""

import math
from typing import NamedTuple


class Goal(NamedTuple):
    """Two limits. Up to ``good`` all is well. Up to ``bearable`` viewers notice. Beyond it, operators should act.

    ``bearable`` is inf if there is no such limit.
    """

    good: float
    bearable: float = math.inf


FIRST_PARTIAL = Goal(1.2, 2.0)
"""Seconds from the start of an utterance to its first words, p95."""
WORD_SHOWN_MEDIAN = Goal(0.4, 0.9)
"""Seconds from the end of a word to its first correct appearance, p50."""
WORD_SHOWN = Goal(0.9, 1.5)
"""The same at p95. ``bearable`` is the threshold of the objective."""
WORD_STABLE_MEDIAN = Goal(0.6)
"""Seconds from the end of a word to its last change, p50. Only benchmarks measure it."""
WORD_STABLE = Goal(1.1)
"""The same at p95."""
FINAL = Goal(0.4, 2.0)
"""Seconds from the endpoint to the final, p95. ``bearable`` is the threshold of the objective."""
WORDS_IN_TIME = Goal(0.97, 0.95)
"""The share of words shown within the threshold of the objective. ``bearable`` is the objective's target."""
FINALS_IN_TIME = Goal(0.995, 0.99)
"""The same for finals."""
ERASURE = Goal(0.10, 0.25)
"""Erased words per word of the finals."""
AUDIO_BEHIND = Goal(1.5, 5.0)
"""Seconds that a partition's oldest audio has waited for a decode."""
FINALS_OVERDUE = Goal(2.0, 8.0)
"""The longest wait for a final, in seconds. From ``overload_after`` on, gateways refuse new sessions."""
REAL_TIME_FACTOR = Goal(0.5, 1.0)
"""Seconds of decoding per second of audio. From 1 on, a worker falls behind."""
EVENT_LOOP_LAG = Goal(0.02, 0.1)
"""Seconds that a due callback waits for the event loop. It adds to every latency."""
CONFIDENCE = Goal(0.8, 0.6)
"""The median confidence of words, in 0..1. Here, higher is better."""
