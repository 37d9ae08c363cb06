"""A real broker: the one that KAFKA_BOOTSTRAP names, or one of our own that tests may stop."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from livecaptions.processes import free_ports

SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "kafka" / "kafka.sh"
PATIENCE = 60.0


def missing() -> str | None:
    """What this machine lacks to run a broker."""
    if os.environ.get("KAFKA_BOOTSTRAP") or (shutil.which("java") and shutil.which("mvn")):
        return None
    return "no Java or Maven for a Kafka broker: apt-get install default-jdk-headless maven"


class Broker:
    """A broker in a process of its own, with its data in a folder that outlives its stops."""

    def __init__(self, environment: Mapping[str, str] | None = None, *, port: int | None = None) -> None:
        free, self._controller = free_ports(2)
        self.port = port or free
        self._data = tempfile.TemporaryDirectory(prefix="livecaptions-kafka-")
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The folder that holds its data."""
        return Path(self._data.name)

    def start(self) -> None:
        """Return when it answers."""
        environment = {
            **os.environ,
            "KAFKA_DATA": self._data.name,
            "KAFKA_PORT": str(self.port),
            "KAFKA_CONTROLLER_PORT": str(self._controller),
            **self._environment,
        }
        subprocess.run(["sh", SCRIPT, "install"], check=True, env=environment, timeout=600)
        self._process = subprocess.Popen(["sh", SCRIPT, "run"], env=environment, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the broker ended: what it printed says why"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the broker was not up within a minute")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it; its data stays."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)
            self._process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop(signal.SIGKILL)
        self._data.cleanup()


async def answers(bootstrap: str) -> None:
    """Return when the broker serves requests, not only listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await admin.start()
            await admin.describe_cluster()
        except KafkaError:
            assert time.monotonic() < deadline, f"no broker answers at {bootstrap}"
            await asyncio.sleep(0.2)
        else:
            return
        finally:
            await admin.close()
