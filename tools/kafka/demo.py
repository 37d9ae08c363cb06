"""Plays the bundled talk over Kafka with two gateways and two workers, and kills one worker halfway."""

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
"""Seconds from the start of the talk."""


def demo(
    seconds: Annotated[float | None, typer.Option(help="Play only this many seconds of the talk.")] = None,
) -> None:
    """Play the talk over Kafka and kill a worker halfway."""
    if not (shutil.which("java") and shutil.which("mvn")):
        raise SystemExit("a Kafka broker needs a JDK and Maven: apt-get install default-jdk-headless maven")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # exit through the finally blocks
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
    """Publish to the first gateway. The page is served by the second."""
    here, there = (f"http://localhost:{port}" for port in ports)
    killing = asyncio.create_task(kill_busiest(console, workers))
    await play(console, here, f"{there}/r/{ROOM}", needed, seconds)
    killing.cancel()


async def kill_busiest(console: Console, workers: list[Process]) -> None:
    """Kill the worker that has used the most CPU time, halfway through the talk."""
    await asyncio.sleep(KILL_AFTER)
    victim = max(workers, key=lambda process: cpu_ticks(process.pid))
    victim.kill()
    console.print(f"[red]kill -9 {victim.pid}[/red]: the worker that decoded was killed, the other one takes over")


def cpu_ticks(pid: int) -> int:
    """The user CPU time of a process, in clock ticks."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])


@contextlib.contextmanager
def kafka(port: int, controller: int) -> Iterator[None]:
    """Run a broker with a new data folder while the context lasts."""
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
    """Run a command of livecaptions and wait for it."""
    subprocess.run(
        [sys.executable, "-m", "livecaptions.cli", *arguments], check=check, env=clean(), stdout=subprocess.DEVNULL
    )


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[Process]:
    """Run a command of livecaptions while the context lasts."""
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
    """The environment without settings of livecaptions."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}


if __name__ == "__main__":
    typer.run(demo)
