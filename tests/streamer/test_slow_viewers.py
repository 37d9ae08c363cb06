"""Viewers that read slowly or not at all: they delay nobody, and are not sent what they may not see any more."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from bench.gateway.clients import handshake
from captions.access import Principal, Right
from captions.deletion import Deletion
from captions.errors import ShuttingDown, Unauthorized
from captions.ports.probe import Probe
from captions.track import RoomId
from streamer.batched_callbacks import BatchedCallbacks
from streamer.clients import Clients
from streamer.rooms.event import Encoded
from streamer.rooms.history_turns import HistoryTurns
from streamer.rooms.room import Room
from streamer.rooms.viewer import Viewer
from tests.captions.messages import caption
from tests.streamer.speaking import SCRIPT, say
from tests.streamer.system import Conversation, System, running

VIEW = "/v1/rooms/hall/captions?token=one"
LONG = "word" * 5000
REQUESTS = {"ws": handshake(VIEW), "sse": f"GET {VIEW} HTTP/1.1\r\nHost: here\r\n\r\n".encode()}


class Revocable:
    """Every token is a key with that id, which a test revokes."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def authenticate(self, token: str | None) -> Principal:
        return Principal(rooms=("*",), rights=frozenset({Right.VIEW}), credential=token)

    def revoked(self, credential: str) -> bool:
        return credential in self.gone


async def long_history(system: System) -> None:
    """Say more than the buffers between two programs hold."""
    for utterance in range(400):
        await say(system, utterance=utterance, final=True, text=LONG)
    room = await system.gateway.hub.open(RoomId("hall"))
    async with asyncio.timeout(30):
        while room.history.latest < 0 or len(room.history.blocks) < 50:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def who_does_not_read(system: System, kind: str, count: int = 1) -> AsyncIterator[None]:
    """Viewers whose peers take a little, and then nothing more."""
    with contextlib.ExitStack() as sockets:
        for _ in range(count):
            sock = sockets.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", system.port))
            await loop.sock_sendall(sock, REQUESTS[kind])
        async with asyncio.timeout(30):
            while system.gateway.viewers < count:  # noqa: ASYNC110 - told by no event
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # they are sent as much as the buffers hold
        yield


@pytest.mark.server
@pytest.mark.parametrize("kind", REQUESTS)
async def test_who_does_not_read_keeps_nobody_waiting(kind: str) -> None:
    async with running(SCRIPT, working=False, send_timeout=3600) as system:
        system.gateway.history_turns = HistoryTurns(concurrent=1, longest=3600)
        await long_history(system)
        async with who_does_not_read(system, kind, 5), system.viewer() as honest:
            view = Conversation(honest)
            await view.of("live")
            assert len(view.all("caption")) == 400


@pytest.mark.server
async def test_a_short_history_takes_no_turn() -> None:
    async with running(SCRIPT, working=False) as system:
        system.gateway.history_turns = HistoryTurns(concurrent=1, longest=3600)
        await say(system, final=True, text="short")
        with system.gateway.history_turns.turn() as turn:
            await turn.begin()
            async with system.viewer() as socket:
                await Conversation(socket).of("live")
            async with httpx.AsyncClient() as http, http.stream("GET", f"{system.http}{VIEW}") as events:
                async for line in events.aiter_lines():
                    if line == "event: live":
                        break


@pytest.mark.server
@pytest.mark.parametrize("kind", REQUESTS)
async def test_who_does_not_read_is_disconnected_when_its_key_is_revoked(kind: str) -> None:
    keys = Revocable()
    async with running(SCRIPT, working=False, send_timeout=3600, authenticator=keys) as system:
        await long_history(system)
        async with who_does_not_read(system, kind):
            keys.gone.add("one")
            system.gateway.clients.disconnect_revoked()
            async with asyncio.timeout(10):
                while len(system.connections) or system.gateway.viewers:  # noqa: ASYNC110 - told by no event
                    await asyncio.sleep(0.01)


@pytest.mark.server
@pytest.mark.parametrize("kind", REQUESTS)
async def test_of_many_viewers_at_once_no_more_come_in_than_may(kind: str) -> None:
    async with running(SCRIPT, working=False, max_viewers=5) as system, contextlib.AsyncExitStack() as open_streams:
        connections = [await asyncio.open_connection("127.0.0.1", system.port) for _ in range(40)]
        for _, writer in connections:
            open_streams.callback(writer.close)
            writer.write(REQUESTS[kind])
        async with asyncio.timeout(30):
            answers = [await reader.readline() for reader, _ in connections]
        good = b"HTTP/1.1 101 " if kind == "ws" else b"HTTP/1.1 200 "
        assert sum(answer.startswith(good) for answer in answers) == 5
        assert sum(answer.startswith(b"HTTP/1.1 429 ") for answer in answers) == 35
        assert system.gateway.viewers == 5


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(backlog=10, probe=Probe())


def said(utterance: int, seq: int) -> Encoded:
    return Encoded(caption(utterance=utterance, final=True, seq=seq))


async def test_what_is_deleted_while_an_earlier_caption_is_sent_is_not_sent(viewer: Viewer) -> None:
    room = Room(RoomId("hall"), BatchedCallbacks(100))
    room.join(viewer)
    for utterance in range(3):
        room.apply(caption(utterance=utterance, final=True, seq=utterance + 1), 0.0)
    first = await viewer.wait()
    room.delete(Deletion(seq=10, at=0.0))
    following = await viewer.wait()
    assert (first.event.type, following.event.type) == ("caption", "deleted")


async def test_a_partial_that_waits_behind_a_final_is_still_replaced(viewer: Viewer) -> None:
    viewer.put(said(0, 1))
    viewer.put(Encoded(caption(utterance=1, revision=1, text="a")))
    assert (await viewer.wait()).event.type == "caption"
    newer = Encoded(caption(utterance=1, revision=2, text="a b"))
    viewer.put(newer)
    assert await viewer.wait() is newer
    newest = Encoded(caption(utterance=1, revision=3, text="a b c"))
    viewer.put(newest)
    assert await viewer.wait() is newest


async def test_who_may_not_see_any_more_is_handed_nothing_that_waits(viewer: Viewer) -> None:
    viewer.put(said(0, 1))
    viewer.end(ShuttingDown())
    viewer.end(Unauthorized("revoked"))
    with pytest.raises(Unauthorized):
        await viewer.wait()


async def test_a_revocation_is_logged_once_however_long_its_clients_take() -> None:
    keys = Revocable()
    clients = Clients(keys)
    principal = await keys.authenticate("one")
    told: list[object] = []
    with clients.connected(principal, told.append), capture_logs() as lines:
        clients.disconnect_revoked()
        keys.gone.add("one")
        for _ in range(3):
            clients.disconnect_revoked()
    assert [line["event"] for line in lines] == ["key_revoked"]
    assert len(told) == 3
