"""Containers are decoded in processes: with the same result, within limits, and each by itself."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import structlog

from captions.audio import Pcm, from_bytes
from captions.errors import Internal, UnsupportedAudio
from captions.ports.probe import Probe
from livecaptions.talk import talk_path
from livecaptions.terminal.files import read_file
from streamer.audio.container import ContainerDecoder
from streamer.audio.limits import DecoderLimits
from streamer.audio.processes import DecoderProcesses
from tests.streamer.audio.bombs import tiny_recordings
from tests.streamer.audio.decoding import decode_container
from tests.streamer.audio.encoding import FORMATS, encoded
from tests.streamer.audio.processes import (
    Stops,
    children,
    decode,
    decoders,
    descriptors,
    proc,
    read,
    runs,
    status,
    until,
)

pytestmark = pytest.mark.server

BEGINNING = 100_000


@pytest.fixture(scope="module")
def speech() -> Pcm:
    return from_bytes(b"".join(read_file(talk_path())))[: 8 * 16_000]


@pytest.fixture(scope="module")
def shared() -> Iterator[DecoderProcesses]:
    processes = DecoderProcesses()
    yield processes
    processes.close()


@pytest.fixture
def processes(shared: DecoderProcesses) -> Iterator[DecoderProcesses]:
    yield shared
    assert decoders(shared) == []


@pytest.fixture
def own() -> Iterator[DecoderProcesses]:
    """With a short patience, and a server that a test may harm. It is started."""
    processes = DecoderProcesses(DecoderLimits(answer=2.0))
    for end in processes.begin():
        end.setblocking(True)
        end.recv(1)
        end.close()
    yield processes
    processes.close()
    assert not [child for child in children(os.getpid()) if not runs(child)], "a zombie is left"


Limited = Callable[[DecoderLimits], DecoderProcesses]


@pytest.fixture
def limited() -> Iterator[Limited]:
    with contextlib.ExitStack() as stack:

        def make(limits: DecoderLimits) -> DecoderProcesses:
            processes = DecoderProcesses(limits)
            stack.callback(processes.close)
            return processes

        yield make


@pytest.mark.parametrize("name", FORMATS)
async def test_a_process_decodes_to_the_same_samples(name: str, speech: Pcm, processes: DecoderProcesses) -> None:
    data = encoded(speech, *FORMATS[name])
    pcm, pieces = await decode(processes, data)
    assert np.array_equal(pcm, decode_container(data))
    assert [piece.offset for piece in pieces] == sorted(piece.offset for piece in pieces)


async def test_garbage_is_refused_before_a_second_of_it_came(processes: DecoderProcesses) -> None:
    probe = Stops()
    decoder = ContainerDecoder(processes, probe)
    reading = asyncio.create_task(read(decoder))
    async with asyncio.timeout(30):
        for _ in range(20):
            await decoder.feed(b"plain text" * 100)
        with pytest.raises(UnsupportedAudio, match="no audio container"):
            await reading
    with pytest.raises(UnsupportedAudio):
        await decoder.feed(b"more")
    await decoder.close()
    assert probe.reasons == [], "the decoder did what it should"


async def test_bytes_and_samples_that_wait_are_bounded(processes: DecoderProcesses) -> None:
    decoder = ContainerDecoder(processes, Probe())
    silence = encoded(np.zeros(16_000 * 60, np.int16), *FORMATS["flac"])
    fed = 0

    async def feed() -> None:
        nonlocal fed
        for _ in range(100_000):
            await decoder.feed(silence)
            fed += len(silence)

    feeding = asyncio.create_task(feed())
    await asyncio.sleep(0.5)
    assert not feeding.done()
    assert fed < 3_000_000
    held = await read(decoder)
    assert held is not None
    assert len(held.pcm) < 16_000 * 40
    feeding.cancel()
    await decoder.close()


async def test_who_does_not_take_samples_for_long_is_no_hang(own: DecoderProcesses) -> None:
    decoder = ContainerDecoder(own, Probe())
    data = encoded(np.zeros(16_000 * 120, np.int16), *FORMATS["flac"])
    await decoder.feed(data)
    await asyncio.sleep(2.5 * own.limits.answer)
    await decoder.finish()
    samples = 0
    async with asyncio.timeout(30):
        while (decoded := await read(decoder)) is not None:
            samples += len(decoded.pcm)
    assert samples == 16_000 * 120
    await decoder.close()


async def test_a_silent_publisher_is_no_hang(speech: Pcm, own: DecoderProcesses) -> None:
    decoder, _ = await begun(own, speech)
    await asyncio.sleep(2.5 * own.limits.answer)
    assert decoder.take() is None
    await decoder.close()


async def test_a_decoder_can_be_closed_while_it_waits(processes: DecoderProcesses) -> None:
    decoder = ContainerDecoder(processes, Probe())
    reading = asyncio.create_task(read(decoder))
    await decoder.feed(b"RIFF")
    await asyncio.sleep(0.01)
    await decoder.close()
    assert await reading is None
    await decoder.close()


async def test_nothing_is_left_of_many_streams(speech: Pcm, processes: DecoderProcesses) -> None:
    data = encoded(speech[:16_000], *FORMATS["ogg/opus"])
    await decode(processes, data)
    assert processes.server is not None
    before = len(descriptors(os.getpid())), len(descriptors(processes.server))
    await asyncio.gather(*(decode(processes, data) for _ in range(20)))
    broken = [ContainerDecoder(processes, Probe()) for _ in range(5)]
    for decoder in broken:
        await decoder.feed(data[:1000])
        await decoder.close()
    assert len(descriptors(os.getpid())) == before[0]
    await until(lambda: len(descriptors(processes.server or 0)) <= before[1])
    assert decoders(processes) == []


async def begun(processes: DecoderProcesses, speech: Pcm, probe: Probe | None = None) -> tuple[ContainerDecoder, int]:
    """A decoder that has decoded some of a WAV stream and waits for more, and its process."""
    others = set(decoders(processes))
    decoder = ContainerDecoder(processes, probe or Probe())
    await decoder.feed(encoded(speech, *FORMATS["wav"])[:BEGINNING])
    await until(lambda: set(decoders(processes)) - others)
    (pid,) = set(decoders(processes)) - others
    async with asyncio.timeout(20):
        decoded = await read(decoder)
    assert decoded is not None
    await until(lambda: decoder._idle)
    decoder.take()
    return decoder, pid


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGXCPU])
async def test_a_crash_ends_this_stream_with_a_clear_refusal(
    number: signal.Signals, speech: Pcm, processes: DecoderProcesses
) -> None:
    probe = Stops()
    decoder, pid = await begun(processes, speech, probe)
    other, _ = await begun(processes, speech)
    with structlog.testing.capture_logs() as logged:
        os.kill(pid, number)
        async with asyncio.timeout(20):
            with pytest.raises(UnsupportedAudio, match="what came before is captioned"):
                await read(decoder)
    assert [line["event"] for line in logged] == ["container_decoder_stopped"]
    assert probe.reasons == ["cpu" if number == signal.SIGXCPU else "crash"]
    with pytest.raises(UnsupportedAudio):
        await decoder.feed(b"more")
    await decoder.finish()
    await decoder.close()
    await other.feed(encoded(speech, *FORMATS["wav"])[BEGINNING : 2 * BEGINNING])
    async with asyncio.timeout(20):
        assert await read(other) is not None
    await other.close()


async def test_what_was_decoded_before_a_crash_is_kept(speech: Pcm, processes: DecoderProcesses) -> None:
    decoder = ContainerDecoder(processes, Probe())
    data = encoded(speech, *FORMATS["wav"])
    await decoder.feed(data)
    await until(lambda: decoder._idle)
    os.kill(decoders(processes)[0], signal.SIGSEGV)
    await until(lambda: decoder._ended)
    decoded = await read(decoder)
    assert decoded is not None
    assert len(decoded.pcm) > 7 * 16_000
    with pytest.raises(UnsupportedAudio):
        await read(decoder)
    await decoder.close()


async def test_a_process_that_something_else_killed_is_not_the_audios_fault(
    speech: Pcm, processes: DecoderProcesses
) -> None:
    probe = Stops()
    decoder, pid = await begun(processes, speech, probe)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        with pytest.raises(Internal, match="begin a new session"):
            await read(decoder)
    assert probe.reasons == ["killed"]
    await decoder.close()


@pytest.mark.parametrize("ended", [False, True])
async def test_a_hang_is_killed(ended: bool, speech: Pcm, own: DecoderProcesses) -> None:
    probe = Stops()
    decoder, pid = await begun(own, speech, probe)
    os.kill(pid, signal.SIGSTOP)
    if ended:
        await decoder.finish()
    else:
        await decoder.feed(bytes(4000))
    async with asyncio.timeout(20):
        with pytest.raises(UnsupportedAudio, match="does not come back"):
            await read(decoder)
    assert probe.reasons == ["hang"]
    await until(lambda: not runs(pid))
    await decoder.close()
    assert len((await decode(own, encoded(speech, *FORMATS["flac"])))[0]) > 7 * 16_000


async def test_the_next_stream_has_a_server_again_when_it_died(speech: Pcm, own: DecoderProcesses) -> None:
    probe = Stops()
    decoder, pid = await begun(own, speech, probe)
    server = own.server
    assert server is not None
    os.kill(server, signal.SIGKILL)
    async with asyncio.timeout(20):
        with pytest.raises(Internal, match="begin a new session"):
            await read(decoder)
    assert probe.reasons == ["lost"]
    await until(lambda: not runs(pid))
    await decoder.close()
    assert len((await decode(own, encoded(speech, *FORMATS["flac"])))[0]) > 7 * 16_000
    assert own.server != server
    assert server not in children(os.getpid()), "it is reaped"


async def test_a_server_that_does_nothing_is_replaced_and_its_streams_go_on(speech: Pcm, own: DecoderProcesses) -> None:
    going, pid = await begun(own, speech)
    server = own.server
    assert server is not None
    os.kill(server, signal.SIGSTOP)
    try:
        decoder = ContainerDecoder(own, Probe())
        await decoder.feed(bytes(100))
        async with asyncio.timeout(20):
            with pytest.raises(Internal):
                await read(decoder)
        assert len((await decode(own, encoded(speech, *FORMATS["flac"])))[0]) > 7 * 16_000
        await going.feed(bytes(BEGINNING))
        async with asyncio.timeout(20):
            assert await read(going) is not None
    finally:
        os.kill(server, signal.SIGCONT)
    await decoder.close()
    await going.close()
    assert not runs(pid)
    await until(lambda: not runs(server))


async def test_without_a_process_the_refusal_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    probe = Stops()
    with pytest.raises(Internal, match="cannot start a decoder"):
        ContainerDecoder(DecoderProcesses(), probe)
    assert probe.reasons == ["lost"]


async def test_a_server_that_fails_to_start_is_not_the_audios_fault(
    monkeypatch: pytest.MonkeyPatch, limited: Limited
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    processes = limited(DecoderLimits())
    async with asyncio.timeout(20):
        with pytest.raises(Internal):  # at once, where it has ended already
            await read_and_close(ContainerDecoder(processes, Probe()))


async def read_and_close(decoder: ContainerDecoder) -> None:
    try:
        await read(decoder)
    finally:
        await decoder.close()


async def test_cpu_is_limited_by_the_duration_of_the_sound(speech: Pcm, limited: Limited) -> None:
    processes = limited(DecoderLimits(cpu=1))
    with pytest.raises(UnsupportedAudio, match="longer to decode than to hear"):
        await decode(processes, b"".join(tiny_recordings(20_000)), 60_000)
    assert len((await decode(processes, encoded(np.tile(speech, 20), *FORMATS["mp3"]), 60_000))[0]) > 150 * 16_000


async def test_memory_is_limited(speech: Pcm, limited: Limited) -> None:
    """AAC's decoder needs more than 256 KiB; FLAC's does not."""
    processes = limited(DecoderLimits(memory=256 * 1024))
    decoder, _ = await begun(processes, speech)
    with pytest.raises(UnsupportedAudio, match="too much memory"):
        await decode(processes, encoded(speech, *FORMATS["adts"]))
    assert len((await decode(processes, encoded(speech, *FORMATS["flac"])))[0]) == len(speech)
    await decoder.close()


async def test_a_process_has_little_to_do_harm_with(
    speech: Pcm, monkeypatch: pytest.MonkeyPatch, own: DecoderProcesses
) -> None:
    monkeypatch.setenv("LIVECAPTIONS_KAFKA_PASSWORD", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    first, other = await begun(own, speech)
    decoder, pid = await begun(own, speech)
    assert own.server is not None
    for process in (own.server, pid):
        assert "secret" not in proc(process, "environ")
        assert status(process)["NoNewPrivs"] == "1"
        assert status(process)["Threads"] == "1"
    assert descriptors(pid)[3].startswith("socket:")
    assert len(descriptors(pid)) == 4
    soft = {line[:26].strip(): line[26:].split()[0] for line in proc(pid, "limits").splitlines()[1:]}
    assert soft["Max open files"] == "0"
    assert soft["Max core file size"] == "0"
    assert own.limits.cpu < int(soft["Max cpu time"]) <= own.limits.cpu + 2
    assert int(soft["Max address space"]) < 2**29
    assert proc(pid, "oom_score_adj").strip() == "1000"
    assert other != pid
    await first.close()
    await decoder.close()


GATEWAY = """
import asyncio, sys
from captions.ports.probe import Probe
from streamer.audio.container import ContainerDecoder
from streamer.audio.processes import DecoderProcesses

async def main():
    processes = DecoderProcesses()
    decoders = [ContainerDecoder(processes, Probe()) for _ in range(2)]
    for decoder in decoders:
        await decoder.feed(b"RIFF")
    while not all(decoder._idle for decoder in decoders):
        await asyncio.sleep(0.01)
    print(processes.server, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("stopped", [False, True])
async def test_processes_end_with_the_gateway(stopped: bool) -> None:
    gateway = await asyncio.create_subprocess_exec(sys.executable, "-c", GATEWAY, stdout=asyncio.subprocess.PIPE)
    assert gateway.stdout is not None
    server = int(await gateway.stdout.readline())
    pids = children(server)
    assert len(pids) == 2
    if stopped:
        os.kill(pids[0], signal.SIGSTOP)
    gateway.kill()
    await gateway.wait()
    await until(lambda: not any(map(runs, [server, *pids])))
