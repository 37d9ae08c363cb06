"""Recordings with word times. They form a loop, and each stream starts at another pause in it."""

import csv
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from captions.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from captions.errors import SetupError
from livecaptions import talk
from livecaptions.talk import ReferenceWord
from livecaptions.terminal.files import read_file

SOUND = (".flac", ".wav", ".ogg", ".mp3", ".m4a", ".webm")
BYTES_PER_SECOND = SAMPLE_RATE * BYTES_PER_SAMPLE

PAUSE = 0.3
"""The length of a pause at which a stream may begin or end without cutting a word, in seconds."""


@dataclass(frozen=True)
class Recording:
    """Audio, as mono PCM16 bytes at 16 kHz, and its words."""

    name: str
    audio: bytes
    words: Sequence[ReferenceWord]

    @property
    def seconds(self) -> float:
        """The length."""
        return len(self.audio) / BYTES_PER_SECOND

    @property
    def text(self) -> str:
        """The spoken text."""
        return " ".join(word.text for word in self.words)


def recorded(path: Path, words: Sequence[ReferenceWord]) -> Recording:
    """Read a file. Raises ``SetupError`` if it cannot be read."""
    return Recording(path.stem, b"".join(read_file(path)), words)


def bundled_talk() -> Recording:
    """The talk in the package."""
    return recorded(talk.talk_path(), talk.words())


def clip(path: Path) -> Recording:
    """Read an audio file and the file of its words, ``NAME.ctm`` or ``NAME.words.tsv``. Raises ``SetupError``."""
    for suffix, read in ((".ctm", _ctm), (".words.tsv", _tsv)):
        beside = path.with_name(path.stem + suffix)
        if beside.is_file():
            try:
                return recorded(path, read(beside))
            except (ValueError, IndexError, KeyError) as error:
                raise SetupError(f"{beside} is not a list of words with times: {error!r}") from error
    raise SetupError(f"{path} has no words: put {path.stem}.ctm or {path.stem}.words.tsv next to it")


def load(source: str) -> list[Recording]:
    """Read ``talk``, or all recordings of a folder. Raises ``SetupError``."""
    if source == "talk":
        return [bundled_talk()]
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise SetupError(f"no folder at {source}: --audio takes talk, or a folder of audio files with their words")
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SOUND]
    if not files:
        raise SetupError(f"{source} contains no audio files ({', '.join(SOUND)})")
    return [clip(path) for path in files]


def _ctm(path: Path) -> list[ReferenceWord]:
    """Read NIST's CTM format: recording, channel, begin, duration, word."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith(";")]
    return [ReferenceWord(row[4], float(row[2]), float(row[2]) + float(row[3])) for row in rows]


def _tsv(path: Path) -> list[ReferenceWord]:
    """Read a TSV file with the columns word, start and end."""
    with path.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [ReferenceWord(row["word"], float(row["start"]), float(row["end"])) for row in rows]


class Loop:
    """Recordings in a loop, of which streams take parts."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._audio = b"".join(recording.audio for recording in recordings)
        starts = accumulate((recording.seconds for recording in recordings[:-1]), initial=0.0)
        self._words = [
            ReferenceWord(word.text, word.start + start, word.end + start)
            for start, recording in zip(starts, recordings, strict=True)
            for word in recording.words
        ]
        if not self._words:
            raise SetupError("the recordings contain no words")
        self._pauses = self._find_pauses()

    @property
    def seconds(self) -> float:
        """The length of one lap."""
        return len(self._audio) / BYTES_PER_SECOND

    def parts(self, streams: int, seconds: float) -> list[Recording]:
        """One part per stream, of at most ``seconds`` each. The starts are spread evenly over the loop."""
        return [self.part(number * self.seconds / streams, seconds, str(number)) for number in range(streams)]

    def part(self, start: float, seconds: float, name: str = "") -> Recording:
        """The part from the pause at or before ``start`` to the last pause within ``seconds``, or else the next one."""
        laps = range(-1, 2 + math.ceil(seconds / self.seconds))
        pauses = [pause + lap * self.seconds for lap in laps for pause in self._pauses]
        at = bisect_right(pauses, start) - 1
        begin = pauses[at]
        end = pauses[max(at + 1, bisect_right(pauses, begin + seconds) - 1)]
        words = [
            ReferenceWord(word.text, word.start + lap * self.seconds - begin, word.end + lap * self.seconds - begin)
            for lap in laps
            for word in self._words
            if begin <= word.start + lap * self.seconds and word.end + lap * self.seconds <= end
        ]
        return Recording(name, self._heard(begin, end), words)

    def _heard(self, begin: float, end: float) -> bytes:
        first, last = (round(at * SAMPLE_RATE) * BYTES_PER_SAMPLE for at in (begin % self.seconds, end - begin))
        laps = -(-(first + last) // len(self._audio))
        return (self._audio * laps)[first : first + last]

    def _find_pauses(self) -> list[float]:
        """The middles of the pauses in one lap; its beginning if there are none."""
        following = [*self._words[1:], self._words[0]._replace(start=self._words[0].start + self.seconds)]
        gaps = [(word.end, after.start) for word, after in zip(self._words, following, strict=True)]
        pauses = sorted((end + start) / 2 % self.seconds for end, start in gaps if start - end >= PAUSE)
        return pauses or [0.0]
