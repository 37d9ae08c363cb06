"""Terms to expect, found in a programme or in other prose: a proposal that people edit."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise

from captions.terms import LONGEST_TERM, MOST_TERMS

Frequency = Callable[[str], int]
"""How often a word (in lower case) occurs in a large amount of ordinary speech; 0 if it does not."""

COMMON = 2000
"""From this frequency on, a word is ordinary even where it is capitalised. Names of people are rarer."""
VERY_COMMON = 100_000
"""Words such as "our" and "with", which belong to no name at the beginning of a sentence or in a title."""
OF_GRAMMAR = 1_500_000
"""Words such as "the" and "how", which belong to no name at its beginning or end, also inside a sentence."""

_TOKEN = re.compile(r"\S+")
_WEB_ADDRESS = re.compile(r"(?:https?://|www\.)\S")
_WORD = re.compile(r"[^\W_](?:[\w'\u2019+#&./-]*[\w+#])?")
_BETWEEN = re.compile(r"[ \t\u00a0]+")
_CONNECTING = "of de van von der den la le du da del della di dos y al bin ibn"
_CONNECTORS = frozenset(_CONNECTING.split())
_OF_PROGRAMMES = """
keynote keynotes panel session sessions workshop workshops tutorial tutorials opening closing welcome lunch coffee
break breakfast dinner registration poster posters track tracks chair speaker speakers talk talks day room hall
reception plenary abstract abstracts introduction introducing discussion questions answers conference programme
program schedule agenda networking lightning demo demos remarks award awards ceremony moderator organizer organiser
university institute department professor prof dr inc gmbh ltd floor stage auditorium foyer monday tuesday wednesday
thursday friday saturday sunday january february march april may june july august september october november december
am pm cet cest utc gmt tba tbd tbc faq ok vs
"""
_PROGRAMME = frozenset(_OF_PROGRAMMES.split())
"""Words of programmes, which are capitalised and rare in speech, and no terms."""
_ENDINGS = ("'s", "\u2019s", "s", "es", "ed", "ing", "er", "ers", "ly", "al")
_ROMAN = re.compile(r"[IVX]+")
_AMOUNT = re.compile(r"[\d./:-]+(?:[a-z]*|[kKMGT]i?B|[kMGT]?Hz|[kMG]?W)")
_ABBREVIATION = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]?")
_SHOUTED = 2
"""From so many words on, a line in capitals alone is a heading: its words are not acronyms."""
_TITLE = 5
"""From so many words on, a line may be a title, in which capitals mean little."""
_LONGEST_NAME = 4
"""Words of a name that stands alone on a line or between commas, without connectors. Longer ones may be titles."""


def proposed_terms(text: str, frequency: Frequency) -> tuple[str, ...]:
    """Terms in ``text``, in order of appearance, each once, as they are written there. At most ``MOST_TERMS``.

    Terms are names of several words, acronyms, words with capitals or digits inside, and words that do not occur in
    ordinary speech. Names do not go across lines. Rare words that a name has are no terms of their own.
    """
    seen: dict[str, str] = {}
    for line in text.splitlines():
        for term in _terms_of(_words(_TOKEN.sub(_without_address, line)), frequency):
            if 1 < len(term) <= LONGEST_TERM:
                seen.setdefault(term.casefold(), term)
    of_names = {word for key in seen if " " in key for word in key.split(" ")}
    whole = (term for key, term in seen.items() if key not in of_names or _special(term))
    return tuple(islice(whole, MOST_TERMS))


def _without_address(token: re.Match[str]) -> str:
    """A token with a mark instead of the address that it ends with, if any."""
    # by hand: a pattern that looks for both sides of the @ takes hours for a long token
    text = token.group()
    at = text.find("@", 1)
    dot = text.find(".", at + 2) if at > 0 else -1
    if 0 < dot < len(text) - 1:
        return " ; "
    web = _WEB_ADDRESS.search(text)
    return f"{text[: web.start()]} ; " if web else text


class _Word:
    """A word of a line. ``joined``: only a space is between it and the word before. ``first``: it begins a sentence."""

    __slots__ = ("first", "joined", "text")

    def __init__(self, text: str, *, joined: bool, first: bool) -> None:
        self.text = text
        self.joined = joined
        self.first = first

    @property
    def capitalised(self) -> bool:
        return self.text[0].isupper()


def _words(line: str) -> list[_Word]:
    words: list[_Word] = []
    end = 0
    for found in _WORD.finditer(line):
        between = line[end : found.start()]
        first = not words or any(mark in between for mark in ".!?:;\u2022\u2013\u2014|")
        for number, part in enumerate(_parts(found.group())):
            words.append(
                _Word(part, joined=not number and bool(_BETWEEN.fullmatch(between)), first=first and not number)
            )
        end = found.end()
    return words


def _parts(word: str) -> list[str]:
    """The words on both sides of a slash, or of a full stop without a space; ``TCP/IP`` and ``Node.js`` are one."""
    if "/" in word and not word.isupper():
        return [part for half in word.split("/") if half for part in _parts(half)]
    sides = word.split(".")
    if len(sides) == 2 and len(sides[0]) > 3 and sides[1][:1].isupper():
        return [side for side in sides if side]
    return [word]


def _terms_of(words: list[_Word], frequency: Frequency) -> Iterator[str]:
    letters = [word for word in words if word.text[0].isalpha()]
    if len(letters) >= _SHOUTED and all(word.text.isupper() for word in letters):
        yield from (word.text for word in words if _has_digit(word.text) or _unknown(word.text, frequency))
        return
    capitals = sum(word.capitalised or word.text in _CONNECTORS for word in letters)
    title = len(letters) >= _TITLE and capitals > 0.7 * len(letters)
    for entry in _entries(words):
        if _is_name(entry, frequency):
            yield " ".join(word.text for word in entry)
        else:
            for run in _runs(entry):
                yield from _names(run, frequency, title=title)
    yield from (word.text for word in words if _single(word.text, frequency))


def _entries(words: list[_Word]) -> Iterator[list[_Word]]:
    """The parts of a line between punctuation, without numbers at their ends."""
    entry: list[_Word] = []
    for word in words:
        if not word.joined:
            yield entry
            entry = []
        if entry or word.text[0].isalpha():
            entry.append(word)
    yield entry


def _is_name(entry: list[_Word], frequency: Frequency) -> bool:
    """Whether an entry is a name as a whole, such as a line of a list of speakers."""
    capitalised = [word.text.lower() for word in entry if word.capitalised]
    return (
        1 < len(capitalised) <= _LONGEST_NAME
        and entry[0].capitalised
        and entry[-1].capitalised
        and all(word.capitalised or word.text in _CONNECTORS for word in entry)
        and not any(word in _PROGRAMME or frequency(word) >= OF_GRAMMAR for word in capitalised)
        and min(map(frequency, capitalised)) < VERY_COMMON
    )


def _runs(words: list[_Word]) -> Iterator[list[_Word]]:
    """Capitalised words in a row, with connectors between them."""
    run: list[_Word] = []
    for word in words:
        if run and (not word.joined or not (word.capitalised or word.text in _CONNECTORS)):
            yield run
            run = []
        if word.capitalised or (run and word.text in _CONNECTORS):
            run.append(word)
    if run:
        yield run


def _names(run: list[_Word], frequency: Frequency, *, title: bool) -> Iterator[str]:
    """The names in a run. In a title ordinary words divide it, because they are capitalised too."""
    parts: list[list[_Word]] = [[]]
    for word in run:
        if title and word.text not in _CONNECTORS and _ordinary(word.text, frequency):
            parts.append([])
        else:
            parts[-1].append(word)
    for part in parts:
        name = _trimmed(part, frequency, title=title)
        if sum(word.capitalised for word in name) > 1:
            yield " ".join(word.text for word in name)


def _trimmed(run: list[_Word], frequency: Frequency, *, title: bool) -> list[_Word]:
    """The run without words at its ends that belong to no name."""

    def outside(word: _Word) -> bool:
        lower = word.text.lower()
        common = VERY_COMMON if title or word.first else OF_GRAMMAR
        if word.text in _CONNECTORS or lower in _PROGRAMME or frequency(lower) >= common:
            return True
        return word.first and _ordinary(word.text, frequency)

    begin, end = 0, len(run)
    while begin < end and outside(run[begin]):
        begin += 1
    while end > begin and outside(run[end - 1]):
        end -= 1
    return run[begin:end]


def _ordinary(word: str, frequency: Frequency) -> bool:
    """Whether a word, were it not for its capital, is an ordinary one."""
    if _special(word):
        return False
    lower = word.lower()
    return lower in _PROGRAMME or _heard(lower, frequency) >= COMMON


def _single(word: str, frequency: Frequency) -> bool:
    """Whether one word alone is a term."""
    if word.lower() in _PROGRAMME or _AMOUNT.fullmatch(word) or _ABBREVIATION.fullmatch(word):
        return False
    return _special(word) or _unknown(word, frequency)


def _special(word: str) -> bool:
    """Whether a word is written as no ordinary one is: an acronym, with capitals, digits or signs inside."""
    if _ROMAN.fullmatch(word) or _AMOUNT.fullmatch(word):
        return False
    if word.isupper() or (len(word) > 2 and word[:-1].isupper() and word[-1] == "s"):
        return len(word) > 1 and word.lower() not in _PROGRAMME
    inside = any(before.islower() and after.isupper() for before, after in pairwise(word))
    return inside or _has_digit(word) or word.endswith(("+", "#"))


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word)) and not _AMOUNT.fullmatch(word)


def _unknown(word: str, frequency: Frequency) -> bool:
    return (
        len(word) > 3
        and word.lower() not in _PROGRAMME
        and not _has_digit(word)
        and not any(map(str.isdigit, word))
        and not _heard(word.lower(), frequency)
    )


def _heard(word: str, frequency: Frequency) -> int:
    """How often a word is heard, or the word that it is a form of, or the least often heard of its parts."""
    if "-" in word:
        return min((_heard(part, frequency) for part in word.split("-") if part), default=0)
    return max(frequency(form) for form in _forms(word))


def _forms(word: str) -> Iterable[str]:
    plain = word.replace("\u2019", "'")
    yield plain
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) > len(ending) + 2:
            stem = plain[: -len(ending)]
            yield stem
            yield f"{stem}e"
            if ending in {"ing", "ed", "er", "ers"} and stem[-1] == stem[-2]:
                yield stem[:-1]
            if ending == "es" and stem.endswith("i"):
                yield f"{stem[:-1]}y"
