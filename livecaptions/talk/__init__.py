"""The bundled talk: 95 s about live captions. The text is our own, the voice is Piper's en_US-joe-medium (CC0).

``talk.ogg`` is Opus at 32 kbit/s. Sentence times come from the synthesiser; words were aligned within sentences, with
an error of a few hundredths of a second.
"""

import csv
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple


class ReferenceWord(NamedTuple):
    """A word of the talk and its times in seconds."""

    text: str
    start: float
    end: float


def talk_path() -> Path:
    """The path of the audio file."""
    return Path(str(files(__name__) / "talk.ogg"))


def text() -> str:
    """The text of the talk."""
    return (files(__name__) / "talk.txt").read_text(encoding="utf-8")


def words() -> list[ReferenceWord]:
    """The words in the order they are spoken."""
    with (files(__name__) / "talk.words.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [ReferenceWord(row["word"], float(row["start"]), float(row["end"])) for row in rows]
