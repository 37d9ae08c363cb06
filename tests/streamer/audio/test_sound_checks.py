"""Warnings to publishers, on real recordings with right and wrong declarations."""

import numpy as np
import pytest

from bench.sound_checks import WAYS, Floats, levels_of, recordings, sounds_like
from captions.audio_warnings import AudioWarnings
from captions.ports.probe import Probe
from captions.stream_options import AudioFormat
from streamer.audio.floats import to_pcm16
from streamer.audio.levels import Levels
from streamer.audio.open import open_decoder
from streamer.audio.processes import DecoderProcesses

pytestmark = pytest.mark.speech

RIGHT = [way for way in WAYS if "as declared" in way]
WRONG = {
    "big-endian": ("big-endian linear16", 0.9),
    "float32 declared linear16": ("float32", 0.99),
    "mulaw declared linear16": ("mulaw", 0.8),
    "alaw declared linear16": ("alaw", 0.75),
    "linear16 declared mulaw": ("linear16", 0.9),
    "stereo declared mono, channels alike": ("stereo", 0.99),
    "stereo declared mono, two microphones": ("stereo", 0.99),
    "stereo declared mono, one channel dead": ("stereo", 0.99),
    "stereo declared mono, opposite phase": ("stereo", 0.9),
    "mono declared stereo": ("mono", 0.8),
    "48 kHz declared 16 kHz": ("audio of a higher sample rate", 0.7),
    "44.1 kHz declared 16 kHz": ("audio of a higher sample rate", 0.7),
}
"""What the recordings sound like, and the least share of them that gets this warning."""


@pytest.fixture(scope="module")
def named() -> dict[str, Floats]:
    found = dict(recordings())
    assert len(found) > 80
    return found


@pytest.fixture(scope="module")
def everything(named: dict[str, Floats]) -> list[Floats]:
    return list(named.values())


@pytest.mark.parametrize("way", RIGHT)
def test_no_recording_that_is_declared_right_is_taken_for_something_else(way: str, everything: list[Floats]) -> None:
    audio, made = WAYS[way]
    assert {sounds_like(audio, made(samples)) for samples in everything} == {""}


@pytest.mark.parametrize("way", WRONG)
def test_a_wrong_declaration_is_told_by_name(way: str, everything: list[Floats]) -> None:
    audio, made = WAYS[way]
    what, share = WRONG[way]
    said = [sounds_like(audio, made(samples)) for samples in everything]
    assert set(said) <= {what, ""}
    assert said.count(what) >= share * len(everything)


def test_levels_of_recordings_are_right_but_of_very_quiet_ones(named: dict[str, Floats]) -> None:
    for name, samples in named.items():
        quiet = np.std(samples) < 10 ** (-50 / 20)
        assert set(levels_of(to_pcm16(samples))) <= ({"too_quiet"} if quiet else set()), name


def test_silence_clipping_and_too_little_sound_are_said(everything: list[Floats]) -> None:
    speech = to_pcm16(everything[0])
    assert levels_of(np.zeros(9 * 16_000, np.int16)) == []
    assert levels_of(np.zeros(11 * 16_000, np.int16)) == ["silence"]
    assert levels_of(np.concatenate([speech, np.ones(11 * 16_000, np.int16)])) == ["silence"]
    assert levels_of(np.clip(speech.astype(np.int32) * 60, -32768, 32767).astype(np.int16)) == ["clipping"]
    assert levels_of((speech / np.std(speech) * 30).astype(np.int16)) == ["too_quiet"]
    tone = np.sin(2 * np.pi * 97 * np.arange(20 * 16_000) / 16_000)
    assert levels_of((32767 * tone).astype(np.int16)) == [], "loud, and not cut off"
    hiss = np.random.default_rng(1).normal(0, 30, 40 * 16_000)
    assert levels_of(hiss.astype(np.int16)) == [], "nobody speaks"


def test_who_says_that_they_are_muted_is_not_told_of_silence() -> None:
    warnings = AudioWarnings()
    levels = Levels(warnings)
    for _ in range(3):
        levels.add(np.zeros(6 * 16_000, np.int16))
        levels.muted()
    assert not warnings.take_new()
    levels.add(np.zeros(10 * 16_000, np.int16))
    assert [warning.code for warning in warnings.all] == ["silence"]


async def test_a_decoder_warns_while_it_goes_on(everything: list[Floats]) -> None:
    data = to_pcm16(everything[0]).astype(">i2").tobytes()
    decoder = open_decoder(AudioFormat(), DecoderProcesses(), Probe())
    heard = 0
    for at in range(0, len(data), 3200):
        await decoder.feed(data[at : at + 3200])
        while (decoded := decoder.take()) is not None:
            heard += len(decoded.pcm)
    await decoder.finish()
    assert heard == len(data) // 2
    (warning,) = decoder.warnings.all
    assert warning.code == "wrong_declaration"
    assert warning.message.startswith("This sounds like big-endian linear16, and was declared as linear16 at 16000 Hz")
    assert "lower byte of each sample first" in warning.message
    await decoder.close()
