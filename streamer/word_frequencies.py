"""How often words occur in ordinary speech, from the lists (of subtitles) that pyspellchecker ships."""

import gzip
import re
from functools import lru_cache
from importlib.resources import files

import numpy as np

from captions.language import primary
from captions.term_extraction import Frequency

_LISTS = files("spellchecker") / "resources"
_ENTRY = re.compile(r'"((?:[^"\\]|\\.)+)":\s*(\d+)')
_MOST = 2**32 - 1


def frequency_in(language: str | None) -> Frequency:
    """The frequencies of words in a language (BCP 47); English for None and ``auto``.

    Of a language without a list, every word counts as known and rare. The first call of a language reads its list: call
    it in a thread.
    """
    name = "en" if language is None or language == "auto" else primary(language)
    return _frequencies(name) if (_LISTS / f"{name}.json.gz").is_file() else lambda _: 1


@lru_cache(maxsize=16)
def _frequencies(language: str) -> Frequency:
    """Kept as hashes and counts in arrays: 12 bytes a word, where a dictionary takes ten times as much."""
    text = gzip.decompress((_LISTS / f"{language}.json.gz").read_bytes()).decode()
    counts: dict[int, int] = {}
    for entry in _ENTRY.finditer(text):  # the json module would keep all other threads waiting, up to 0.2 s
        counts[hash(entry[1])] = min(int(entry[2]), _MOST)
    words = np.fromiter(counts.keys(), np.int64, len(counts))
    order = np.argsort(words)
    words, numbers = words[order], np.fromiter(counts.values(), np.uint32, len(counts))[order]

    def frequency(word: str) -> int:
        wanted = hash(word)
        at = int(np.searchsorted(words, wanted))
        return int(numbers[at]) if at < len(words) and words[at] == wanted else 0

    return frequency
