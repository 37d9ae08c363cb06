"""Child processes: servers that a command starts, and stops however the command ends."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

import httpx

from captions.errors import SetupError
from livecaptions.settings.fields import ENV_PREFIX

START_TIMEOUT = 180.0
"""Seconds. It is generous to slow machines; a server that fails exits, which is noticed immediately."""

STOP_TIMEOUT = 30.0
CLI = (sys.executable, "-m", "livecaptions.cli")

Process = subprocess.Popen[bytes]


def exit_on_signals() -> None:
    """Exit on SIGTERM and SIGHUP by unwinding the stack, so that child processes are stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)


def _exit(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def free_ports(count: int) -> list[int]:
    """Find ``count`` ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(sock.getsockname()[1]) for sock in sockets]


def free_port(port: int = 0) -> int:
    """Return ``port``, or a free port for 0. Raises ``SetupError`` if another program uses it."""
    try:
        with socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise SetupError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error


@contextlib.contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, output: IO[bytes] | None = None
) -> Iterator[Process]:
    """Run a program while the context lasts. Its output goes to ``output``, or to this terminal.

    Ctrl-C in this terminal does not reach it. At the end it gets SIGTERM; if it does not stop, it and its children are
    killed.
    """
    process = subprocess.Popen(  # noqa: S603 - callers pass fixed commands
        command, env=environment, stdout=output, stderr=output, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def own_server(port: int, *flags: str) -> Iterator[Process]:
    """Run ``livecaptions serve`` on the loopback interface, ignoring settings in the environment."""
    command = [*CLI, "serve", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", *flags]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    with running(command, environment=environment) as process:
        yield process


async def ready(url: str, needed: Sequence[Process], *, path: str = "/readyz") -> None:
    """Wait until ``path`` answers with 200. Raises ``SetupError`` if one of ``needed`` exits, or after a timeout."""
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while True:
                    if any(process.poll() is not None for process in needed):
                        raise SetupError("the server did not start; its messages are above")
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get(f"{url}{path}")).status_code == httpx.codes.OK:
                            return
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise SetupError(f"the server was not ready within {START_TIMEOUT:.0f} s") from error
