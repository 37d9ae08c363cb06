"""A key from its making to its end, on a real server: the command line, the sockets and HTTP, as strangers use them."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from livecaptions.processes import free_ports
from livecaptions.talk import talk_path
from tests.e2e.conftest import Server, pcm16, start_server
from tests.livecaptions.cli import livecaptions

pytestmark = [pytest.mark.server, pytest.mark.weights]

PATIENCE = 60
"""Seconds. A server that does not look at the file again would never end what is revoked."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def keys(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "livecaptions.cli", "keys", *arguments, "--keys-file", str(folder / "keys.json")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def closed(folder: Path) -> Iterator[Server]:
    keys(folder, "create", "--rights", "view,operate", "--name", "operators")
    server = start_server(
        "--host", "0.0.0.0", "--keys-file", str(folder / "keys.json"), "--metrics-access", "operate",  # noqa: S104 - what keys are for
    )  # fmt: skip
    yield server
    server.terminate()


async def end_of(socket: ClientConnection) -> tuple[int, str]:
    """The close code and the last error of a connection, once the server has ended it."""
    last: dict[str, str] = {}
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            async for text in socket:
                last = json.loads(text)
    assert socket.close_code is not None
    return socket.close_code, last.get("code", "")


async def test_a_key_is_made_used_shared_and_revoked_and_all_of_it_ends(closed: Server, folder: Path) -> None:
    created = await asyncio.to_thread(keys, folder, "create", "--rooms", "hall-*", "--tenant", "acme", "--name", "Ada")
    key = created.splitlines()[-1]
    await asyncio.sleep(1)  # the server looks for new keys once a second
    async with httpx.AsyncClient(base_url=closed.http, headers={"Authorization": f"Bearer {key}"}) as http:
        shared = {"rooms": ["hall-1"], "rights": ["view"], "expires_in": 600}
        link = (await http.post("/v1/tokens", json=shared)).json()["token"]
        with pytest.raises(InvalidStatus):
            await connect(f"{closed.ws}/v1/rooms/hall-1/publish?token={link}")
        speech = pcm16(talk_path(), seconds=8)
        async with (
            connect(f"{closed.ws}/v1/rooms/hall-1/publish?token={key}", compression=None) as speaking,
            connect(f"{closed.ws}/v1/rooms/hall-1/captions?token={key}") as reading,
            connect(f"{closed.ws}/v1/rooms/hall-1/captions?token={link}") as shared_with,
        ):
            for start in range(0, len(speech), 32_000):
                await speaking.send(speech[start : start + 32_000])
            async for text in speaking:
                if json.loads(text).get("final"):
                    break
            await asyncio.to_thread(keys, folder, "revoke", key.split("_")[1])
            ends = await asyncio.gather(*map(end_of, (speaking, reading, shared_with)))
            assert ends == [(1008, "unauthorized")] * 3
        for token in (key, link):
            response = await http.get("/v1/rooms/hall-1/transcript", headers={"Authorization": f"Bearer {token}"})
            assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    operators = (await asyncio.to_thread(keys, folder, "create", "--rights", "view,operate")).splitlines()[-1]
    await asyncio.sleep(1)
    async with httpx.AsyncClient(base_url=closed.http, headers={"Authorization": f"Bearer {operators}"}) as http:
        kept = await http.get("/v1/rooms/hall-1/transcript", params={"format": "txt", "tenant": "acme"})
        assert len(kept.text.split()) > 5


async def test_metrics_ask_for_the_right_to_operate_and_top_sends_a_token(closed: Server, folder: Path) -> None:
    operators = (await asyncio.to_thread(keys, folder, "create", "--rights", "operate")).splitlines()[-1]
    await asyncio.sleep(1)
    async with httpx.AsyncClient(base_url=closed.http) as http:
        assert (await http.get("/metrics")).status_code == 401
        response = await http.get("/metrics", headers={"Authorization": f"Bearer {operators}"})
        assert "livecaptions_sessions" in response.text
    asked = ["top", "--once", "--json", "--interval", "0.2", "--url", closed.http]
    code, _, err = await livecaptions(*asked, within=60)
    assert (code, "none of the targets answers" in err) == (1, True)
    code, out, _ = await livecaptions(*asked, "--token", operators, within=60)
    assert (code, json.loads(out)["targets"][0]["error"]) == (0, None)


@pytest.mark.parametrize("role", ["serve", "gateway"])
async def test_a_server_without_keys_does_not_listen_to_strangers(role: str) -> None:
    transport = ["--transport", "kafka://127.0.0.1:1"] if role == "gateway" else []
    code, _, err = await livecaptions(role, "--host", "0.0.0.0", "--port", "0", *transport)  # noqa: S104 - what is refused
    assert code == 2
    assert "livecaptions keys create" in err
    assert "--open" in err


def test_metrics_on_a_port_of_their_own_are_nowhere_else() -> None:
    (port,) = free_ports(1)
    server = start_server("--metrics-access", "port", "--metrics-port", str(port))
    try:
        assert httpx.get(f"{server.http}/metrics").status_code == 404
        assert "livecaptions_sessions" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
    finally:
        server.terminate()
