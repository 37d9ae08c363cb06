"""Generates docs/metrics.md from the code: ``python -m monitoring.catalogue > docs/metrics.md``."""

import sys
from collections.abc import Iterator

from monitoring.families import Described, Families
from monitoring.metrics import GatewayProbe, RefineProbe, WorkerProbe

HEAD = """\
# Metrics

This page answers: which metrics does `/metrics` expose? `make docs-metrics` generates it from the code. A gateway
serves `/metrics` on its `port`, a worker and a process of the second pass (`refine`) on their `metrics_port`, and
`livecaptions serve` exposes the metrics of all three. The end of a name is its unit; a name without a unit is a count.
Rooms, sessions and tracks are never labels.

Latencies end when a caption is on the log. They start when the word's audio was due there. A publisher's constant
delay or a muted stream therefore adds no latency, but a stall in the middle of an utterance does. Workers compare their
clocks with those of the gateways, so keep all clocks in sync (NTP).

| metric | type | labels | exposed by | description |
|---|---|---|---|---|
"""

TAIL = """
Each process also exposes `process_*` and `python_gc_*` from prometheus_client.

`audio_behind_seconds` counts only audio that is due for a decode. An utterance whose publisher has stalled waits for
more audio, and so do the first 0.9 s of every utterance; neither counts. `words_erased_total` divided by
`words_published_total` is the normalised erasure of [latency.md](latency.md).

`refined_words_changed_total` divided by `refined_words_total` is the share of words that the second pass changes.
`refine_late_seconds` includes the wait for the speech that follows, which the second pass hears too: tens of seconds
are normal. Speech in `refine_skipped_seconds_total` keeps the captions of the live pass.

**Several processes with one endpoint.** Set `PROMETHEUS_MULTIPROC_DIR` to an empty folder that processes on one machine
share. Each of them then exposes the metrics of all: the sums of counters and histograms, and the gauges of running
processes. `process_*` and `python_gc_*` are left out. Empty the folder before you start the processes.
"""


def page() -> str:
    """The page in Markdown."""
    return HEAD + "".join(_row(described, roles) for described, roles in catalogue()) + TAIL


def catalogue() -> Iterator[tuple[Described, str]]:
    """Yield every family in order of its name, with the roles that expose it."""
    roles = {"gateway": Families(), "worker": Families(), "refine": Families()}
    GatewayProbe(roles["gateway"], "", ("any",))
    WorkerProbe(roles["worker"], "")
    RefineProbe(roles["refine"], "")
    every = {described for families in roles.values() for described in families.described}
    for described in sorted(every, key=lambda family: family.name):
        yield described, ", ".join(role for role, families in roles.items() if described in families.described)


def _row(described: Described, roles: str) -> str:
    labels = ", ".join(described.labels)
    return f"| `{described.name}` | {described.kind} | {labels} | {roles} | {described.text} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
