"""Inputs on which earlier versions failed, through the real server: ../shared/faults."""

import io
import wave
from typing import Any

import av
import httpx
import numpy as np
import pytest

from captions.loops import repetition
from captions.words import fold
from tests.conftest import SHARED
from tests.e2e.conftest import Server, pcm16, publish

pytestmark = [pytest.mark.server, pytest.mark.speech]

FAULTS = SHARED / "faults"
KATIE = SHARED / "speech" / "azure_katiesteve.flac"


def folded(text: str) -> list[str]:
    return [word for word in map(fold, text.split()) if word]


def encoded(pcm: bytes, container: str, codec: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as muxer:
        stream: Any = muxer.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            muxer.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "phrase", "end"),
    [
        ("repeat_houston_x3", "mission control in houston", "columbia"),
        ("repeat_middle", "my fellow americans", "columbia"),
        ("repeat_miccheck", None, "everybody"),
        ("repeat_nonono", "no", "budget"),
    ],
)
async def test_what_is_said_again_and_again_is_written_and_so_is_what_follows(
    server: Server, name: str, phrase: str | None, end: str
) -> None:
    heard = await publish(server, f"faults-{name}", pcm16(FAULTS / f"{name}.wav"), speed=2)
    words = folded(heard.text)
    said = repetition(words)
    assert said is not None
    assert said.times >= 2
    assert phrase is None or " ".join(words[said.begin : said.end]) == phrase
    assert words[-1] == end


@pytest.mark.parametrize("name", ["word_paris", "word_data", "word_one"])
async def test_a_single_word_is_written_once(server: Server, name: str) -> None:
    heard = await publish(server, f"faults-{name}", pcm16(FAULTS / f"{name}.wav"), speed=2)
    assert len(folded(heard.text)) == 1


@pytest.mark.parametrize("name", ["wav_plus_wav", "wav_every_250ms"])
async def test_every_recording_of_a_stream_is_heard(server: Server, name: str) -> None:
    data = (FAULTS / f"{name}.bin").read_bytes()
    heard = await publish(server, f"faults-{name}", data, query="encoding=container", speed=4)
    done = heard.messages[-1]
    assert done["offset"] == len(data)
    assert "warnings" not in done
    assert done["seconds"] == pytest.approx(len(data) / 32_000, rel=0.02)
    assert len(folded(heard.text)) > 15


async def test_webm_after_ogg_is_heard(server: Server) -> None:
    first, second = pcm16(FAULTS / "repeat_houston_x3.wav"), pcm16(KATIE, seconds=6)
    data = encoded(first, "ogg", "libopus") + encoded(second, "webm", "libopus")
    heard = await publish(server, "faults-webm-after-ogg", data, query="encoding=container")
    words = folded(heard.text)
    assert words[:4] == ["mission", "control", "in", "houston"]
    assert {"katie", "latest"} <= set(words[words.index("columbia") :])
    assert heard.messages[-1]["seconds"] == pytest.approx((len(first) + len(second)) / 32_000, abs=0.1)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"OggS\0\2", b"\x1a\x45\xdf\xa3\x9f"])
async def test_a_container_that_had_barely_begun_is_done(server: Server, data: bytes) -> None:
    heard = await publish(server, "faults-begun", data, query="encoding=container")
    done = heard.messages[-1]
    assert (done["type"], done["offset"], done["seconds"]) == ("done", len(data), 0)
    assert [warning["code"] for warning in done.get("warnings", [])] == (["no_sound"] if data else [])


async def test_stereo_of_opposite_phase_and_a_quiet_microphone_with_an_offset_are_heard(server: Server) -> None:
    with wave.open(str(FAULTS / "stereo_antiphase.wav")) as file:
        stereo = file.readframes(file.getnframes())
        query = f"channels=2&sample_rate={file.getframerate()}"
    left = np.frombuffer(stereo, "<i2").reshape(-1, 2)[:, 0]
    heard = await publish(server, "faults-stereo", stereo, query=query)
    alone = await publish(server, "faults-left", left.tobytes(), query=query.replace("channels=2&", ""))
    assert len(folded(alone.text)) > 25
    assert folded(heard.text)[:25] == folded(alone.text)[:25]  # it breaks off in a word
    quiet = await publish(server, "faults-offset", pcm16(FAULTS / "dc_offset_quiet.wav"))
    assert folded(quiet.text)[:4] == ["as", "you", "know", "and"]
    assert len(folded(quiet.text)) > 25


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("channels=1", "stereo"),
        ("sample_rate=16000", "audio of a higher sample rate"),
        ("encoding=linear16", "big-endian linear16"),
    ],
)
async def test_a_wrong_declaration_is_said_to_the_publisher(server: Server, query: str, what: str) -> None:
    speech = pcm16(KATIE, 48_000 if "rate" in query else 16_000, seconds=12)
    samples = np.frombuffer(speech, "<i2")
    data = {
        "channels=1": np.stack([samples, samples], axis=1).tobytes(),
        "sample_rate=16000": speech,
        "encoding=linear16": samples.astype(">i2").tobytes(),
    }[query]
    heard = await publish(server, "faults-declared", data, query=query)
    [warning] = [warning for warning in heard.of("warning") if warning["code"] == "wrong_declaration"]
    assert warning["message"].startswith(f"This sounds like {what}, ")
    assert {"code": warning["code"], "message": warning["message"]} in heard.messages[-1]["warnings"]
    async with httpx.AsyncClient(base_url=server.http) as http:
        metrics = (await http.get("/metrics")).text
    assert 'livecaptions_audio_warnings_total{code="wrong_declaration"}' in metrics
