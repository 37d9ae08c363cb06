"""A real Prometheus in a process of its own."""

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from livecaptions.processes import free_ports

INTERVAL = 1
"""Seconds between two scrapes."""
TIMEOUT = 60.0

Series = dict[str, Any]


class Prometheus:
    """Scrapes targets, HOST:PORT by job, from when it is entered until it is left."""

    def __init__(self, targets: Mapping[str, Sequence[str]]) -> None:
        (port,) = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._client = httpx.Client(base_url=f"http://{self._address}/api/v1", timeout=30, trust_env=False)
        self._folder = tempfile.TemporaryDirectory(prefix="livecaptions-prometheus-")
        self._config = {
            "global": {"scrape_interval": f"{INTERVAL}s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                for job, addresses in targets.items()
            ],
        }
        self._count = sum(map(len, targets.values()))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(self._config))
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self._address}",
                "--log.level=warn",
            ]
        )
        deadline = time.monotonic() + TIMEOUT
        while not self._scraped():
            assert self._process.poll() is None, "Prometheus ended: what it printed says why"
            assert time.monotonic() < deadline, "Prometheus was not up within a minute"
            time.sleep(0.1)
        return self

    def _scraped(self) -> bool:
        """Whether every target was: it looks for them 5 s after it is ready, and what happens before is no increase."""
        try:
            answer = self._client.get("/query", params={"query": "up == 1"})
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK and len(answer.json()["data"]["result"]) == self._count

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(TIMEOUT)
        self._client.close()
        self._folder.cleanup()

    def range(self, expression: str, begin: float, end: float, step: float) -> list[Series]:
        """The series that answer between two times of the wall clock, in seconds."""
        asked = {"query": expression, "start": str(begin), "end": str(end), "step": str(step)}
        answer = self._client.post("/query_range", data=asked).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        found: list[Series] = answer["data"]["result"]
        return found
