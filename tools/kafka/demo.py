"""The bundled talk over Kafka: a broker, two gateways, two workers, one of which is killed in the middle."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from captions.errors import SetupError
from livecaptions.commands.demo import ROOM, play
from livecaptions.processes import Process, free_ports
from livecaptions.settings.fields import ENV_PREFIX

KAFKA = Path(__file__).with_name("kafka.sh")
KILL_AFTER = 30.0
"""Seconds of the talk."""


def demo(seconds: Annotated[float | None, typer.Option(help="Play only the beginning.")] = None) -> None:
    """Play the talk over Kafka and kill a worker in its middle."""
    if not (shutil.which("java") and shutil.which("mvn")):
        raise SystemExit("a Kafka broker needs a JDK and Maven: apt-get install default-jdk-headless maven")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # what was started is stopped on every way out
    console = Console()
    with contextlib.ExitStack() as stack:
        broker, controller, first, second = free_ports(4)
        console.print(f"Starting Apache Kafka on port {broker}...", style="dim")
        stack.enter_context(kafka(broker, controller))
        transport = ["--transport", f"kafka://127.0.0.1:{broker}", "--log-level", "error"]
        command(["topics", *transport], check=True)
        console.print("Starting two gateways and two workers...", style="dim")
        gateways = [stack.enter_context(running(["gateway", *transport, "--port", str(p)])) for p in (first, second)]
        worker = ["worker", *transport, "--model", "tiny.en", "--threads", "1"]
        workers = [stack.enter_context(running(worker)) for _ in range(2)]
        try:
            asyncio.run(talk(console, (first, second), [*gateways, *workers], workers, seconds))
        except SetupError as error:
            raise SystemExit(str(error)) from error


async def talk(
    console: Console, ports: tuple[int, int], needed: list[Process], workers: list[Process], seconds: float | None
) -> None:
    """Speak at the first gateway; the page is the second's."""
    here, there = (f"http://localhost:{port}" for port in ports)
    killing = asyncio.create_task(kill_the_busy_one(console, workers))
    await play(console, here, f"{there}/r/{ROOM}", needed, seconds)
    killing.cancel()


async def kill_the_busy_one(console: Console, workers: list[Process]) -> None:
    """Kill the worker that has done the most, in the middle of the talk."""
    await asyncio.sleep(KILL_AFTER)
    victim = max(workers, key=lambda process: cpu_ticks(process.pid))
    victim.kill()
    console.print(f"[red]kill -9 {victim.pid}[/red]: the worker that decoded is gone, the other one takes over")


def cpu_ticks(pid: int) -> int:
    """User time of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])


@contextlib.contextmanager
def kafka(port: int, controller: int) -> Iterator[None]:
    """A broker with a new data folder; its lines are shown where it does not start."""
    with tempfile.TemporaryDirectory(prefix="livecaptions-kafka-") as data:
        environment = {
            **os.environ, "KAFKA_DATA": data, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(controller),
        }  # fmt: skip
        subprocess.run(["sh", KAFKA, "install"], check=True, env=environment)
        with (Path(data) / "broker.log").open("wb") as log:
            process = subprocess.Popen(["sh", KAFKA, "run"], env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def command(arguments: list[str], *, check: bool = False) -> None:
    """Run the product's command line to its end."""
    subprocess.run(
        [sys.executable, "-m", "livecaptions.cli", *arguments], check=check, env=clean(), stdout=subprocess.DEVNULL
    )


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[Process]:
    """The product's command line while the context lasts."""
    process = subprocess.Popen([sys.executable, "-m", "livecaptions.cli", *arguments], env=clean())
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def clean() -> dict[str, str]:
    """The environment without the machine's own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}


if __name__ == "__main__":
    typer.run(demo)
