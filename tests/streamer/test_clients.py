"""Clients whose key is revoked are disconnected, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from captions.access import Principal, Right
from captions.audio import to_bytes
from tests.streamer.speaking import send
from tests.streamer.system import Conversation, System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(2, words=4)


class Revocable:
    """Every token is a key with that id, which a test revokes."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def authenticate(self, token: str | None) -> Principal:
        rights = frozenset({Right.PUBLISH, Right.VIEW})
        return Principal(rooms=("*",), rights=rights, tenant="acme", credential=token)

    def revoked(self, credential: str) -> bool:
        return credential in self.gone


@contextlib.asynccontextmanager
async def with_keys() -> AsyncIterator[tuple[System, Revocable]]:
    keys = Revocable()
    async with running(SCRIPT, authenticator=keys) as system:
        watching = asyncio.create_task(system.gateway.clients.watch())
        yield system, keys
        watching.cancel()


async def test_a_revoked_keys_connections_end_and_all_others_go_on() -> None:
    async with with_keys() as (system, keys):
        address = f"http://127.0.0.1:{system.port}/v1/rooms/hall/captions?token=one"
        async with (
            system.publisher(token="one") as speaking,
            system.publisher(token="other", track="second") as other,
            system.viewer(token="one") as viewing,
            system.viewer(token="other") as watching,
            httpx.AsyncClient() as http,
            http.stream("GET", address) as events,
        ):
            publisher, second = Conversation(speaking), Conversation(other)
            await publisher.of("ready")
            await second.of("ready")
            keys.gone.add("one")
            for ended in (publisher, Conversation(viewing)):
                code, heard = await ended.rest()
                assert (code, heard[-1]["type"], heard[-1]["code"]) == (1008, "error", "unauthorized")
                assert "revoked" in heard[-1]["message"]
            assert '"code":"unauthorized"' in (await events.aread()).decode()
            await send(second, to_bytes(PCM))
            await other.send('{"type":"end"}')
            await second.of("done")
            await Conversation(watching).next(lambda message: message["type"] == "caption" and message["final"])


async def test_a_revoked_publishers_track_is_free_at_once_and_what_it_said_is_kept() -> None:
    async with with_keys() as (system, keys):
        async with system.publisher(token="one") as speaking:
            publisher = Conversation(speaking)
            await publisher.of("ready")
            await send(publisher, to_bytes(PCM))
            await publisher.next(lambda message: message["type"] == "caption" and message["final"])
            keys.gone.add("one")
            await publisher.rest()
        async with system.publisher(token="other") as speaking:
            await Conversation(speaking).of("ready")
            async with system.viewer(token="other") as viewing:
                seen = Conversation(viewing)
                for _ in range(2):
                    await seen.next(lambda message: message["type"] == "caption" and message["final"])


async def test_nothing_is_kept_of_clients_that_left() -> None:
    async with with_keys() as (system, _):
        async with system.publisher(token="one") as socket:
            await Conversation(socket).of("ready")
        async with system.viewer(token="one") as socket:
            await Conversation(socket).of("live")
        async with asyncio.timeout(10):
            while system.gateway.clients._by_credential:  # noqa: ASYNC110 - the server sets nothing
                await asyncio.sleep(0.01)
