"""Publisher and viewer against the real gateway, over a line that is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from captions.audio import to_bytes
from livecaptions_client import Caption, Done, Reconnecting, publish, retry, view
from tests.streamer.system import running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(3, words=4)
SAID = [" ".join(word.text for word in SCRIPT[at : at + 4]) for at in (0, 4, 8)]
FRAME = 3200


class Line:
    """Carries bytes to a port, and can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[tuple[Line, str]]:
    line = Line(port)
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as server:
        yield line, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        line.cut()


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.02)


async def test_nothing_is_lost_or_doubled_when_the_line_is_cut() -> None:
    audio = to_bytes(PCM)

    async def frames(line: Line) -> AsyncIterator[bytes]:
        for at in range(0, len(audio), FRAME):
            if at // FRAME in (7, 23, 31):
                line.cut()
            yield audio[at : at + FRAME]
            await asyncio.sleep(0.02)

    async def watch(url: str) -> list[Caption]:
        finals: list[Caption] = []
        async with aclosing(view(url, "hall")) as room:
            while len(finals) < len(SAID):
                event = await anext(room)
                if isinstance(event, Caption) and event.final:
                    finals.append(event)
        return finals

    async with running(SCRIPT) as system, line_to(system.port) as (line, url), asyncio.timeout(30):
        watching = asyncio.create_task(watch(url))
        async with publish(url, "hall", language="en") as publication:
            publication.feed(frames(line))
            events = [event async for event in publication]
        seen = await watching
    assert sum(isinstance(event, Reconnecting) for event in events) == 3
    done = events[-1]
    assert isinstance(done, Done)
    assert done.offset == len(audio)
    assert done.seconds == pytest.approx(len(audio) / 32_000, abs=0.001)
    assert [event.text for event in seen] == SAID
    assert [event.json["seq"] for event in seen] == sorted({event.json["seq"] for event in seen})
    assert {event.text for event in events if isinstance(event, Caption) and event.final} >= {SAID[-1]}


async def test_a_longer_endpointing_joins_what_pauses_divide_and_finals_name_their_model() -> None:
    async with running(SCRIPT) as system, asyncio.timeout(30):
        async with publish(system.http, "hall", endpointing=2.5) as publication:
            await publication.send(to_bytes(PCM))
        finals = [event async for event in publication if isinstance(event, Caption) and event.final]
    assert [final.text for final in finals] == [" ".join(SAID)], "no pause of the script is as long"
    assert [final.model for final in finals] == ["scripted@000000000000"]
