"""Real speech through the real server and the real weights."""

import asyncio
import json
from contextlib import suppress

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from captions.audio import Pcm
from livecaptions.talk import talk_path, text
from tests.conftest import SHARED
from tests.e2e.conftest import Heard, Server, pcm16, publish, start_server, viewing
from tests.e2e.promises import assert_captions_kept_their_promises, word_error_rate

pytestmark = pytest.mark.server


async def test_the_talk_is_captioned(server: Server) -> None:
    audio = pcm16(talk_path())
    async with viewing(server, "talk") as seen:
        heard = await publish(server, "talk", audio, speed=4)
    assert_captions_kept_their_promises(heard)
    assert word_error_rate(text(), heard.text) <= 0.04
    assert heard.messages[-1]["offset"] == len(audio)
    assert heard.messages[-1]["seconds"] == pytest.approx(len(audio) / 32_000, abs=0.01)
    assert any(not caption["final"] for caption in heard.of("caption"))
    viewed = [m for m in seen if m["type"] == "caption" and m["final"]]
    assert [m["text"] for m in viewed] == [m["text"] for m in heard.finals]
    assert [m["seq"] for m in viewed] == sorted({m["seq"] for m in viewed})
    async with httpx.AsyncClient(base_url=server.http) as http:
        srt = (await http.get("/v1/rooms/talk/transcript?format=srt")).text
    cues = " ".join(line for line in srt.splitlines() if line and "-->" not in line and not line.isdigit())
    assert word_error_rate(text(), cues) <= 0.05


@pytest.mark.speech
@pytest.mark.parametrize(
    ("clip", "most"),
    [
        ("jfk_inaugural", 0.0),
        ("ls_1089-134686-0000", 0.11),  # three of its 28 words
        ("two_cities", 0.05),
        ("austen_sense_sensibility", 0.08),
        ("osr_harvard_8k", 0.05),
    ],
)
async def test_human_speech_is_captioned(server: Server, clip: str, most: float) -> None:
    heard = await publish(server, f"speech-{clip}", pcm16(SHARED / "speech" / f"{clip}.flac"))
    assert_captions_kept_their_promises(heard)
    assert word_error_rate((SHARED / "speech" / f"{clip}.txt").read_text(), heard.text) <= most


@pytest.mark.speech
async def test_noise_is_not_captioned(server: Server) -> None:
    heard = await publish(server, "noise", pcm16(SHARED / "noise" / "noise1.flac", seconds=40))
    assert len(heard.text.split()) <= 3


@pytest.mark.speech
async def test_finals_are_the_same_fast_or_slow_and_whatever_the_frames(server: Server) -> None:
    audio = pcm16(SHARED / "speech" / "jfk_inaugural.flac")
    quick = await publish(server, "same-1", audio)
    paced, odd = await asyncio.gather(
        publish(server, "same-2", audio, speed=2), publish(server, "same-3", audio, speed=8, frame=777)
    )
    for other in (paced, odd):
        assert [(f["text"], f["start"], f["end"]) for f in other.finals] == [
            (f["text"], f["start"], f["end"]) for f in quick.finals
        ]


@pytest.mark.speech
@pytest.mark.parametrize(
    ("encoding", "rate"), [("linear16", 48_000), ("linear16", 8_000), ("float32", 44_100), ("mulaw", 8_000)]
)
async def test_every_encoding_says_the_same(server: Server, encoding: str, rate: int) -> None:
    pcm = np.frombuffer(pcm16(SHARED / "speech" / "jfk_inaugural.flac", rate), "<i2")
    match encoding:
        case "float32":
            audio = (pcm / 32768).astype("<f4").tobytes()
        case "mulaw":
            audio = mulaw(pcm)
        case _:
            audio = pcm.tobytes()
    heard = await publish(server, f"encoding-{encoding}-{rate}", audio, query=f"encoding={encoding}&sample_rate={rate}")
    assert word_error_rate((SHARED / "speech" / "jfk_inaugural.txt").read_text(), heard.text) <= (
        0.2 if rate == 8_000 else 0.1
    )


def mulaw(pcm: Pcm) -> bytes:
    """G.711, by its formula."""
    magnitude = np.minimum(np.abs(pcm.astype(np.int32)), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    codes = ~((pcm < 0) << 7 | exponent << 4 | mantissa) & 0xFF
    return bytes(codes.astype(np.uint8))


async def test_a_stop_finishes_what_was_said() -> None:
    server = start_server("--drain-deadline", "20")
    audio = pcm16(talk_path(), seconds=8)
    heard = Heard()
    async with connect(f"{server.ws}/v1/rooms/stop/publish", compression=None) as ws:
        for at in range(0, len(audio), 3200):
            await ws.send(audio[at : at + 3200])
        await asyncio.sleep(2)  # what is still on its way when the stop comes is the next server's
        exit_code = asyncio.create_task(asyncio.to_thread(server.terminate))
        with suppress(ConnectionClosed):
            while True:
                heard.messages.append(json.loads(await ws.recv()))
    assert await exit_code == 0
    assert ws.close_code == 1001
    assert heard.of("error")[-1]["code"] == "shutting_down"
    assert heard.finals[-1]["end"] > 6
    assert "talk is about live captions" in heard.text
