"""The bundled talk: 95 s about live captions, our own text, spoken by the Piper voice en_US-joe-medium (CC0).

``talk.ogg`` is Opus at 32 kbit/s; word times are the synthesiser's for sentences and aligned inside them, a few
hundredths of a second off.
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
    """The audio file."""
    return Path(str(files(__name__) / "talk.ogg"))


def text() -> str:
    """What is said."""
    return (files(__name__) / "talk.txt").read_text(encoding="utf-8")


def words() -> list[ReferenceWord]:
    """The words as they are said."""
    with (files(__name__) / "talk.words.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [ReferenceWord(row["word"], float(row["start"]), float(row["end"])) for row in rows]
