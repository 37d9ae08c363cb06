"""Prometheus and Alertmanager in processes of their own, with the production files on a faster clock; a pager."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastapi import FastAPI

from livecaptions.processes import free_ports
from livecaptions.server import listen, serving
from tests.monitoring.alerts.rules import FILES, ROOT
from tests.monitoring.alerts.scaled import scaled

PROMETHEUS = ROOT / "monitoring" / "prometheus" / "prometheus.yml"
ALERTMANAGER = ROOT / "monitoring" / "alertmanager" / "alertmanager.yml"
TIMEOUT = 240.0
"""Seconds that a process may take to start on a busy machine."""

Notification = dict[str, Any]


@dataclass
class Pager:
    """What Alertmanager sent to its receivers, with when, in the order it came."""

    url: str
    sent: list[tuple[float, str, Notification]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, receiver: str, notification: Notification) -> None:
        self.sent.append((time.monotonic(), receiver, notification))
        self._news.set()

    def alerts(self, receiver: str, status: str) -> list[tuple[float, dict[str, Any]]]:
        """The alerts of that status, as often as a receiver was told of them."""
        return [
            (at, alert)
            for at, to, notification in self.sent
            if to == receiver
            for alert in notification["alerts"]
            if alert["status"] == status
        ]

    async def told(self, name: str, status: str, within: float) -> tuple[float, dict[str, Any]]:
        """When a page of alert ``name`` came, and the alert."""
        async with asyncio.timeout(within):
            while True:
                for at, alert in self.alerts("pager", status):
                    if alert["labels"]["alertname"] == name:
                        return at, alert
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening_pager() -> AsyncIterator[Pager]:
    """A webhook for every receiver."""
    app = FastAPI()
    sock = listen("127.0.0.1", 0)
    pager = Pager(f"http://127.0.0.1:{sock.getsockname()[1]}")

    @app.post("/{receiver}")
    async def hear(receiver: str, notification: Notification) -> None:
        pager.hear(receiver, notification)

    async with serving(app, sock):
        yield pager


@asynccontextmanager
async def alertmanager(folder: Path, pager: Pager, factor: float) -> AsyncIterator[str]:
    """The production routes, with durations times ``factor``; its address."""
    document = scaled(yaml.safe_load(ALERTMANAGER.read_text()), factor)
    for receiver in document["receivers"]:
        for webhook in receiver["webhook_configs"]:
            webhook["url"] = f"{pager.url}/{receiver['name']}"
    config = written(folder / "alertmanager.yml", document)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    arguments = (f"--config.file={config}", f"--storage.path={folder / 'alerts'}", f"--web.listen-address={address}")
    async with running("prometheus-alertmanager", *arguments, "--cluster.listen-address=", "--log.level=warn"):
        await ready(f"http://{address}/-/ready")
        yield address


@dataclass
class Prometheus:
    """One that runs, and what it says."""

    client: httpx.AsyncClient

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        answer = (await self.client.get("/alerts")).json()
        return {alert["labels"]["alertname"] for alert in answer["data"]["alerts"] if alert["state"] == "firing"}

    async def scraped(self) -> set[str]:
        """The jobs whose targets were scraped."""
        answer = (await self.client.get("/query", params={"query": "up == 1"})).json()
        return {series["metric"]["job"] for series in answer["data"]["result"]}

    async def rule_files(self) -> set[str]:
        """The files whose rules are in force."""
        answer = (await self.client.get("/rules")).json()
        return {group["file"] for group in answer["data"]["groups"]}

    async def until(self, found: Callable[[], Awaitable[set[str]]], wanted: Iterable[str]) -> None:
        """Return when all that is wanted is found."""
        async with asyncio.timeout(TIMEOUT):
            while not await found() >= set(wanted):  # noqa: ASYNC110 - Prometheus has to be asked
                await asyncio.sleep(0.1)

    async def until_firing(self, name: str, within: float) -> None:
        """Return when the alert fires."""
        async with asyncio.timeout(within):
            while True:
                if name in await self.firing():
                    return
                await asyncio.sleep(0.2)


@asynccontextmanager
async def prometheus(
    folder: Path, targets: Mapping[str, str], alerts_to: str, factor: float, interval: float
) -> AsyncIterator[Prometheus]:
    """The production configuration and rules, with durations times ``factor``.

    It scrapes ``targets``, addresses by job, and evaluates every ``interval`` seconds. It looks for targets 5 s after
    it is ready: rules come once they were scraped, or what a short clock makes of those 5 s would fire.
    """
    document = yaml.safe_load(PROMETHEUS.read_text())
    every = f"{round(interval * 1000)}ms"
    document["global"] |= {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    rules = folder / "rules"
    rules.mkdir()
    document["rule_files"] = [str(rules / "*.yml")]
    (sender,) = document["alerting"]["alertmanagers"]
    sender["static_configs"] = [{"targets": [alerts_to]}]
    document["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in targets.items()
    ]
    config = written(folder / "prometheus.yml", document)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    arguments = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}")
    async with (
        running("prometheus", *arguments, "--log.level=warn") as process,
        httpx.AsyncClient(base_url=f"http://{address}/api/v1", trust_env=False) as client,
    ):
        await ready(f"http://{address}/-/ready")
        found = Prometheus(client)
        await found.until(found.scraped, targets)
        for file in FILES:
            written(rules / file.name, scaled(yaml.safe_load(file.read_text()), factor))
        process.send_signal(signal.SIGHUP)
        await found.until(found.rule_files, [str(rules / file.name) for file in FILES])
        yield found


def written(file: Path, document: Any) -> Path:  # noqa: ANN401 - any YAML document
    """The file, with the document in it."""
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program while the context lasts."""
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ready(url: str) -> None:
    """Return when the address answers well."""
    async with asyncio.timeout(TIMEOUT), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(url)).is_success:
                    return
            await asyncio.sleep(0.1)
