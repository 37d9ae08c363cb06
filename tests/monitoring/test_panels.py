"""Every panel's question is answered by a real Prometheus of a gateway and a worker that are spoken to and watched.

Of the second pass, which takes half a minute, it hears from a process that only measures.
"""

import asyncio
import contextlib
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from livecaptions.processes import free_ports
from livecaptions.talk import talk_path
from livecaptions.top.figures import Figures, figures_of
from livecaptions.top.target import Target
from tests.e2e.conftest import pcm16
from tests.failover.rig import ROOM, speak, watching
from tests.monitoring.panels import PANELS, Panel
from tests.monitoring.prometheus import Prometheus, Series
from tests.monitoring.second_pass import CHANGED, WORDS
from tools.dashboards.files import FOLDER

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus]

TRACKS = 3
PARTITIONS = 4
VIEWERS = 4
SECONDS = 18.0
"""Of the talk on each track."""
RATES_OVER = "10s"
STEP = 2.0
ABSENT_WHERE_NOTHING_WAS_SHOWN = {
    "first_partial_p95_seconds", "word_shown_p50_seconds", "word_shown_p95_seconds", "final_p95_seconds",
    "confidence_p50", "erasure", "real_time_factor",
}  # fmt: skip
"""On a busy machine eight seconds may pass so."""
TIMEOUT = 240.0
"""Seconds for a model to be warm on a busy machine."""


@dataclass
class Observed:
    """What was seen of the system under load: by Prometheus from ``begin`` to ``end``, and by ``top`` in between."""

    prometheus: Prometheus
    begin: float
    end: float
    top: Figures

    def answers(self, expression: str) -> list[Series]:
        for variable, value in {
            "$__rate_interval": RATES_OVER,
            "$__range": f"{math.ceil(self.end - self.begin)}s",
            "$instance": ".*",
        }.items():
            expression = expression.replace(variable, value)
        return self.prometheus.range(expression, self.begin, self.end, STEP)

    def values(self, board: str, title: str, legend: str | None = None) -> list[float]:
        """Every finite value that a panel shows."""
        panels = json.loads((FOLDER / board).read_text())["panels"]
        (panel,) = (panel for panel in panels if panel["title"] == title)
        targets = [t for t in panel["targets"] if legend in {None, t["legendFormat"]}]
        return [value for target in targets for value in finite(self.answers(target["expr"]))]


def finite(answers: list[Series]) -> list[float]:
    values = [float(value) for series in answers for _, value in series["values"]]
    return [value for value in values if math.isfinite(value)]


@pytest.fixture(scope="module")
def observed(bootstrap: str) -> Iterator[Observed]:
    with observing(bootstrap) as seen:
        yield seen


@contextlib.contextmanager
def observing(bootstrap: str) -> Iterator[Observed]:
    ears, worker, refine = free_ports(3)
    common = (
        "--transport",
        f"kafka://{bootstrap}",
        "--kafka-prefix",
        f"panels-{ears}-",
        "--partitions",
        str(PARTITIONS),
    )
    start = (sys.executable, "-m", "livecaptions.cli")
    subprocess.run([*start, "topics", *common], check=True)
    processes = [
        subprocess.Popen([*start, "gateway", *common, "--port", str(ears), "--max-sessions", str(TRACKS)]),
        subprocess.Popen([*start, "worker", *common, "--model", "tiny.en", "--metrics-port", str(worker)]),
        subprocess.Popen([sys.executable, "-m", "tests.monitoring.second_pass", str(refine)]),
    ]
    ports = {"gateway": ears, "worker": worker, "refine": refine}
    targets = {f"livecaptions-{role}": [f"127.0.0.1:{port}"] for role, port in ports.items()}
    try:
        for port in (ears, worker):
            wait_ready(port)
        with Prometheus(targets) as prometheus:
            begin = time.time()
            top = asyncio.run(load(f"http://127.0.0.1:{ears}", f"http://127.0.0.1:{worker}"))
            yield Observed(prometheus, begin, time.time(), top)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def wait_ready(port: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).status_code == httpx.codes.OK:
                return
        assert time.monotonic() < deadline, f"nothing is ready at port {port}"
        time.sleep(0.2)


async def load(gateway: str, worker: str) -> Figures:
    """Speak, watch, be refused; what ``top`` saw of it."""
    pcm = np.frombuffer(pcm16(talk_path(), seconds=SECONDS), dtype="<i2").astype(np.int16)
    async with watching(gateway), watching(gateway), event_stream(gateway), one_that_never_reads(gateway):
        speaking = [asyncio.create_task(speak(gateway, f"t{number}", pcm)) for number in range(TRACKS)]
        await asyncio.sleep(5)
        await refused(gateway, "publish?track=one-too-many", 429)
        await refused(gateway, "publish?sample_rate=1", 400)
        async with httpx.AsyncClient(base_url=gateway, trust_env=False) as client:
            for path in ("/", "/v1/rooms", f"/v1/rooms/{ROOM}/transcript?format=txt", "/v1/rooms/nowhere/transcript"):
                await client.get(path)
        figures = await top(gateway, worker)
        await asyncio.gather(*speaking)
    await asyncio.sleep(3)  # the last scrapes
    return figures


async def top(*addresses: str) -> Figures:
    """Eight seconds as ``livecaptions top`` sees them."""
    targets = [Target(address, window=60, timeout=10) for address in addresses]
    for seconds in (0.0, 8.0):
        await asyncio.sleep(seconds)
        for target in targets:
            await target.scrape(asyncio.get_running_loop().time())
    for target in targets:
        await target.close()
    return figures_of(targets)


async def refused(gateway: str, what: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{gateway.replace('http', 'ws')}/v1/rooms/{ROOM}/{what}")
    assert refusal.value.response.status_code == status


@asynccontextmanager
async def event_stream(gateway: str) -> AsyncIterator[None]:
    async def read() -> None:
        async with (
            httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=60) as client,
            client.stream("GET", f"/v1/rooms/{ROOM}/captions", headers={"Accept": "text/event-stream"}) as response,
        ):
            async for _ in response.aiter_lines():
                pass

    task = asyncio.create_task(read())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def one_that_never_reads(gateway: str) -> AsyncIterator[None]:
    host, port = gateway.removeprefix("http://").split(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.connect((host, int(port)))
    url = f"ws://{host}:{port}/v1/rooms/{ROOM}/captions"
    async with connect(url, sock=sock, compression=None, max_queue=1, close_timeout=0.1, ping_interval=None):
        yield


@pytest.mark.parametrize("panel", PANELS)
def test_every_question_of_every_panel_is_answered(panel: Panel, observed: Observed) -> None:
    for target in panel["targets"]:
        answers = observed.answers(target["expr"])
        assert finite(answers), f"no answer to {target['expr']}"


def test_the_figures_are_those_of_what_happened(observed: Observed) -> None:
    assert max(observed.values("overview.json", "Speakers")) == TRACKS
    assert max(observed.values("overview.json", "Viewers")) == VIEWERS
    assert max(observed.values("overview.json", "Speakers refused")) > 0
    assert observed.values("inference.json", "Words changed")[-1] == pytest.approx(CHANGED / WORDS)
    assert max(observed.values("gateway.json", "Viewers at each gateway", "{{instance}} {{kind}}")) == VIEWERS - 1
    assert observed.values("inference.json", "Partitions without a worker")[-1] == 0
    assert max(observed.values("inference.json", "Models")) == 1
    assert max(observed.values("overview.json", "Words captioned")) > 0
    for title in ("Words shown within 1.5 s", "Finals within 2 s", "Confidence of words"):
        assert all(0 <= share <= 1 for share in observed.values("overview.json", title))
    for title in ("Speakers", "Utterances without their final", "Longest wait for a final"):
        assert observed.values("overview.json", title)[-1] == 0, "everything was captioned in the end"


def test_top_shows_the_same(observed: Observed) -> None:
    top = observed.top
    assert (top.sessions, top.viewers, top.unreachable, top.restarts) == (TRACKS, VIEWERS, 0, 0)
    assert top.speech_share is not None
    assert 0 < top.speech_share <= 2 * TRACKS
    assert set(top.audio_behind_seconds) == {str(partition) for partition in range(PARTITIONS)}
    assert [target.roles for target in top.targets] == [("gateway",), ("worker",)]
    assert top.targets[1].model == "tiny.en"
    unknown = {name for name, value in vars(top).items() if value is None}
    assert unknown <= ABSENT_WHERE_NOTHING_WAS_SHOWN
