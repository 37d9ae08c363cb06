"""What decoder processes report, and what becomes of one that reports nonsense."""

import asyncio
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.errors import UnsupportedAudio
from streamer.audio.container import ContainerDecoder
from streamer.audio.decoder_messages import MOST_BYTES, Message, Report, Unpacker, pack, pack_text
from streamer.audio.processes import DecoderProcesses, Ends
from tests.streamer.audio.processes import Stops, read

MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(Report), st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=10
)


@given(MESSAGES, st.integers(1, 400))
def test_messages_are_read_however_they_are_cut(messages: list[Message], size: int) -> None:
    data = b"".join(pack(*message) for message in messages)
    unpacker = Unpacker()
    read_back = [message for at in range(0, len(data), size) for message in unpacker.push(data[at : at + size])]
    assert read_back == messages


def test_a_long_text_keeps_its_end() -> None:
    (message,) = Unpacker().push(pack_text(Report.FAILED, "é" * MOST_BYTES + "the cause"))
    assert len(message.payload) == MOST_BYTES
    assert message.payload.endswith(b"the cause")


class Liar(DecoderProcesses):
    """Its process is the test."""

    def begin(self) -> Ends:
        stream, self.stream = socket.socketpair()
        life, self.life = socket.socketpair()
        for sock in (stream, life):
            sock.setblocking(False)
        return Ends(stream, life)


NONSENSE = {
    "no message": b"\xff" * 100,
    "an unknown kind": pack(Report.WANTS).replace(b"\1", b"\x63", 1),
    "a huge message": struct.pack("<BIQ", Report.SAMPLES, 2**31, 0),
    "bytes that were never sent": pack(Report.WANTS, 2000),
    "sound of bytes that were never sent": pack(Report.SAMPLES, 2000, bytes(10)),
    "half a sample": pack(Report.SAMPLES, 0, b"\0"),
    "the end of a stream that goes on": pack(Report.ENDED),
    "a warning that does not exist": pack_text(Report.WARNING, "boo\nhoo"),
    "a text that is none": pack(Report.REFUSED, 0, b"\xff\xfe"),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_a_process_that_reports_nonsense_is_killed(name: str) -> None:
    processes, probe = Liar(), Stops()
    decoder = ContainerDecoder(processes, probe)
    await decoder.feed(bytes(1000))
    processes.stream.sendall(pack(Report.WANTS, 1000) + pack(Report.SAMPLES, 1000, bytes(320)) + NONSENSE[name])
    async with asyncio.timeout(10):
        decoded = await read(decoder)
        assert decoded is not None
        assert len(decoded.pcm) == 160
        with pytest.raises(UnsupportedAudio):
            await read(decoder)
    assert probe.reasons == ["crash"]
    assert processes.life.recv(1) == b"", "it is to be killed"
    processes.life.close()
    processes.stream.close()
    await decoder.close()
