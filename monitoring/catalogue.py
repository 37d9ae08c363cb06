"""docs/metrics.md, as the code has it: ``python -m monitoring.catalogue > docs/metrics.md``."""

import sys
from collections.abc import Iterator

from monitoring.families import Described, Families
from monitoring.metrics import GatewayProbe, WorkerProbe

HEAD = """\
# Metrics

What `/metrics` tells, made from the code by `make docs-metrics`. A gateway answers on its `port`, a worker on its
`metrics_port`, `livecaptions serve` tells both. Units are those of the name's end; where a name has none, it counts.
Rooms, sessions and tracks are no labels.

Latencies are counted to the moment when a caption is on the log. A word was said when its audio was due there: a
publisher's constant delay and a muted stream do not count as ours, a stall in the middle of an utterance does. A
worker's clock is compared with the gateways': keep them in step (NTP).

| metric | type | labels | told by | |
|---|---|---|---|---|
"""

TAIL = """
With `process_*` and `python_gc_*` of each process, as prometheus_client has them.

`audio_behind_seconds` is about audio that is due for a decode: what a stalled publisher left half said, and the first
0.9 s of an utterance, wait for more audio. `words_erased_total` over `words_published_total` is the normalised
erasure of [latency.md](latency.md).

**Several processes, one endpoint.** With `PROMETHEUS_MULTIPROC_DIR` naming an empty folder that processes of one
machine share, each answers with what all of them measured: counters and histograms added up, gauges of those that
live. `process_*` and `python_gc_*` are left out then. Empty the folder before a start.
"""


def page() -> str:
    """The page in Markdown."""
    return HEAD + "".join(_row(described, roles) for described, roles in catalogue()) + TAIL


def catalogue() -> Iterator[tuple[Described, str]]:
    """Every family in order of names, and who tells it."""
    of_gateway, of_worker = Families(), Families()
    GatewayProbe(of_gateway, "", ("any",))
    WorkerProbe(of_worker, "")
    for described in sorted({*of_gateway.described, *of_worker.described}, key=lambda family: family.name):
        told_by = {"gateway": of_gateway, "worker": of_worker}
        yield described, ", ".join(role for role, families in told_by.items() if described in families.described)


def _row(described: Described, roles: str) -> str:
    labels = ", ".join(described.labels)
    return f"| `{described.name}` | {described.kind} | {labels} | {roles} | {described.text} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
