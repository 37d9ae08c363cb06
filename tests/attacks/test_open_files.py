"""A server whose system lets it open few files."""

import asyncio
import contextlib
import re
import resource
import sys

import httpx
import pytest

from livecaptions.processes import free_port, ready

pytestmark = pytest.mark.server

FILES = 250


async def answer_of(client: httpx.AsyncClient) -> str:
    """The metrics, as soon as there is a place for who asks."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.get("/metrics")
                if answer.status_code == httpx.codes.OK:
                    return answer.text
            await asyncio.sleep(0.1)


async def test_more_connections_than_files_stop_nobody() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.scripted", str(port),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES - 100, FILES)),
    )  # fmt: skip
    writers: list[asyncio.StreamWriter] = []
    try:
        await ready(f"http://127.0.0.1:{port}", [])
        for _ in range(2 * FILES):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            text = await answer_of(client)
        assert f"process_max_fds {FILES}.0" in text
        closed = dict(re.findall(r'connections_closed_total\{reason="(\w+)"\} (\d+)', text))
        assert int(closed["full"]) + int(closed["crowded"]) > FILES
    finally:
        for writer in writers:
            writer.transport.abort()
        process.terminate()
        assert await process.wait() == 0
