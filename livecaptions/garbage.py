"""The garbage collector, set so that it does not stop a server's event loop."""

import gc

THRESHOLDS = (10_000, 10, 50)
"""Objects more than before, and how often that, until a collection of each generation. Python's own (700, 10, 10) went
through everything that 2,000 viewers hold several times a minute, 0.3 s each time (docs/capacity.md)."""


def collect_rarely() -> None:
    """Keep what a started server consists of out of every collection, and collect the rest more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
