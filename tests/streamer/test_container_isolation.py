"""What one publisher's container does to its decoder hurts nobody else."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from streamer.audio.limits import DecoderLimits
from streamer.audio.processes import DecoderProcesses
from tests.streamer.audio.bombs import BOMBS
from tests.streamer.audio.encoding import encoded
from tests.streamer.audio.processes import Stops, decoders, runs, status, until
from tests.streamer.speaking import END, text_of
from tests.streamer.system import Conversation, System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(3, words=4)
SAID = " ".join(word.text for word in SCRIPT)
FIRST = " ".join(word.text for word in SCRIPT[:4])
RECORDED = {
    (container, codec): encoded(PCM, container, codec, 16_000, {})
    for container, codec in (("wav", "pcm_s16le"), ("matroska", "pcm_s16le"), ("flac", "flac"))
}
"""Scripted speech is read from its very samples, so nothing may be lost in these."""
KINDS = list(RECORDED)
PIECES = 20
BASE = 64 * 2**20
"""A process that has decoded nothing has less than this in memory, most of it shared."""


@pytest.fixture
def processes() -> DecoderProcesses:
    return DecoderProcesses(DecoderLimits(answer=2.0))


def pieces(kind: tuple[str, str]) -> list[bytes]:
    data = RECORDED[kind]
    size = len(data) // PIECES + 1
    return [data[at : at + size] for at in range(0, len(data), size)]


async def speak(talk: Conversation, some: list[bytes]) -> None:
    """Send a part of a recording, slowly enough that others come in between."""
    for piece in some:
        await talk.socket.send(piece)
        await asyncio.sleep(0.02)


async def honest(system: System, track: str, kind: tuple[str, str]) -> str:
    """What is captioned of a whole recording."""
    async with system.publisher(encoding="container", track=track) as socket:
        talk = Conversation(socket)
        await talk.next()
        await speak(talk, pieces(kind))
        await socket.send(END)
        code, heard = await talk.rest(60)
    assert (code, heard[-1]["type"]) == (1000, "done"), heard[-1]
    assert heard[-1]["offset"] == len(RECORDED[kind])
    return text_of(heard)


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        (signal.SIGSEGV, "unsupported_audio", "crash"),
        (signal.SIGSTOP, "unsupported_audio", "hang"),
        (signal.SIGKILL, "internal", "killed"),
    ],
)
async def test_seven_sessions_lose_nothing_when_the_decoder_of_the_eighth_dies(
    number: signal.Signals, code: str, reason: str, processes: DecoderProcesses
) -> None:
    probe = Stops()
    async with running(SCRIPT, processes=processes, probe=probe) as system:
        async with system.publisher(encoding="container", track="eighth") as socket:
            talk = Conversation(socket)
            await talk.next()
            await speak(talk, pieces(KINDS[0])[: PIECES * 2 // 3])
            await until(lambda: decoders(processes))
            (pid,) = decoders(processes)
            first = await talk.next(lambda message: message["type"] == "caption" and message["final"])
            others = [asyncio.create_task(honest(system, f"t{n}", KINDS[n % len(KINDS)])) for n in range(7)]
            await until(lambda: len(decoders(processes)) == 8)
            os.kill(pid, number)
            await talk.socket.send(pieces(KINDS[0])[PIECES * 2 // 3])
            closed, heard = await talk.rest()
        assert (heard[-1]["code"], closed) == (code, 1003 if code == "unsupported_audio" else 1011)
        assert first["text"] == FIRST
        assert text_of(heard).startswith(FIRST)
        assert await asyncio.gather(*others) == [SAID] * 7
        assert probe.reasons == [reason]
        await until(lambda: not runs(pid))
        assert await honest(system, "eighth", KINDS[0]) == SAID, "the track is free for a new session"


async def test_a_new_session_begins_when_the_fork_server_was_killed(processes: DecoderProcesses) -> None:
    async with running(SCRIPT, processes=processes) as system:
        assert await honest(system, "one", KINDS[0]) == SAID
        killed = processes.server
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(lambda: not runs(killed))
        assert await honest(system, "one", KINDS[0]) == SAID
        server = processes.server
        assert server not in {killed, None}
    assert not runs(server or 0), "it ends with the gateway"


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
async def test_a_bomb_is_bounded_and_others_go_on(
    bomb: Callable[[], Iterator[bytes]], processes: DecoderProcesses
) -> None:
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            for pid in filter(runs, decoders(processes)):
                most = max(most, int(status(pid).get("VmHWM", "0 kB").split()[0]) * 1024)
            await asyncio.sleep(0.005)

    async with running(SCRIPT, processes=processes) as system:
        watching = asyncio.create_task(watch())
        others = [asyncio.create_task(honest(system, f"t{n}", kind)) for n, kind in enumerate(KINDS)]
        async with system.publisher(encoding="container", track="bomb") as socket:
            talk = Conversation(socket)
            await talk.next()
            ending = asyncio.create_task(talk.rest(60))
            try:
                for piece in bomb():
                    await socket.send(piece)
                await socket.send(END)
            except ConnectionClosed:
                pass
            code, heard = await ending
        assert code in {1000, 1003, 1009}, heard[-1]
        assert await asyncio.gather(*others) == [SAID] * len(others)
        watching.cancel()
        assert 0 < most < BASE + processes.limits.memory
