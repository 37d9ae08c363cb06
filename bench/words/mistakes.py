"""The kinds of mistakes in finals: a changed number is worse than a changed article, an invented phrase worse."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import jiwer

from bench.words.corpus import Recording, silence_and_noise, speech
from bench.words.cuts import cuts
from bench.words.finals import text_of
from bench.words.models import load
from bench.words.scoring import tokens
from inference.engine import WhisperEngine

RUN = 3
"""Words in a row that are invented or lost: a phrase, not a slip."""
NEGATIONS = frozenset(
    {
        "no", "not", "never", "none", "nothing", "nobody", "nor", "neither", "cannot", "without",
        "hardly",
    }
)  # fmt: skip
SMALL = frozenset(
    {
        "a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "from", "by", "with",
        "as", "is", "are", "was", "were", "be", "been", "it", "its", "he", "she", "they", "we", "you",
        "i", "this", "that", "these", "those", "his", "her", "their", "our", "your", "my", "me", "him",
        "them", "us", "there", "here", "so", "if", "then", "than", "do", "does", "did", "has", "have",
        "had", "will", "would", "shall", "should", "can", "could", "may", "might", "must",
    }
)  # fmt: skip
"""Words that carry the grammar. A mistake in one of them seldom changes what was said."""
EXAMPLES = 3


KINDS = (
    "a phrase invented",
    "a phrase lost",
    "a negation changed",
    "a number changed",
    "a name changed",
    "written apart or together",
    "small words (the, of, and)",
    "another word",
)
"""Kinds of mistakes, the gravest first."""


class Mistake(NamedTuple):
    """A run of words of the reference, and what was written instead. One of the two may be empty."""

    said: tuple[str, ...]
    written: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' '.join(self.said) or '(nothing)'} → {' '.join(self.written) or '(nothing)'}"


def mistakes(reference: str, found: str) -> Iterator[Mistake]:
    """The mistakes in an English text. Words that are wrong one after the other are one mistake."""
    said, written = tokens(reference, "en"), tokens(found, "en")
    if not said or not written:
        chunks = [(0, len(said), 0, len(written))]
    else:
        (pairs,) = jiwer.process_words([" ".join(said)], [" ".join(written)]).alignments
        wrong = [chunk for chunk in pairs if chunk.type != "equal"]
        chunks = [(c.ref_start_idx, c.ref_end_idx, c.hyp_start_idx, c.hyp_end_idx) for c in wrong]
    first = 0
    for i, (_, said_end, _, written_end) in enumerate(chunks):
        if i + 1 < len(chunks) and (said_end, written_end) == (chunks[i + 1][0], chunks[i + 1][2]):
            continue
        yield Mistake(tuple(said[chunks[first][0] : said_end]), tuple(written[chunks[first][2] : written_end]))
        first = i + 1


def kind_of(mistake: Mistake, names: frozenset[str]) -> str:
    """The gravest kind that fits. ``names`` are words of the reference, as they are compared."""
    said, written = set(mistake.said), set(mistake.written)
    changed = said ^ written
    fits = (
        len(mistake.written) - len(mistake.said) >= RUN,
        len(mistake.said) - len(mistake.written) >= RUN,
        bool(changed & NEGATIONS),
        any(c.isdigit() for word in changed for c in word),
        bool((said - written) & names),
        "".join(mistake.said) == "".join(mistake.written),
        changed <= SMALL,
        True,
    )
    return KINDS[fits.index(True)]


def names_in(recordings: Iterable[Recording]) -> frozenset[str]:
    """Words that the references write with a capital inside a sentence, and nowhere without."""
    capital, small = set[str](), set[str]()
    for before, word in (pair for one in recordings for pair in pairwise(one.text.split())):
        if before[-1:].isalnum() or before[-1:] in ",;":
            (small if word[:1].islower() else capital).update(tokens(word, "en"))
    return frozenset(capital - small - SMALL)


def print_table(model: str) -> None:
    """Print the table of one model: finals with the default settings."""
    engine = load(model)
    recordings = speech("en")
    names = names_in(recordings)
    found: defaultdict[str, list[Mistake]] = defaultdict(list)
    words = 0
    for one in recordings:
        words += len(tokens(one.text, "en"))
        for mistake in mistakes(one.text, _text(engine, one)):
            found[kind_of(mistake, names)].append(mistake)
    print(f"{model}, int8: finals of {len(recordings)} English recordings, {words} words\n")
    print("| kind of mistake | mistakes | per 1,000 words | for example |\n|---|---|---|---|")
    for kind in KINDS:
        examples = "; ".join(str(mistake) for mistake, _ in Counter(found[kind]).most_common(EXAMPLES))
        print(f"| {kind} | {len(found[kind])} | {1000 * len(found[kind]) / words:.1f} | {examples} |")
    noises = silence_and_noise()
    invented = {one.name: text for one in noises if (text := _text(engine, one))}
    print(f"\nWhere nobody speaks ({sum(one.seconds for one in noises):.0f} s of noise, music and laughter) it wrote")
    print("; ".join(f'"{text}" ({name})' for name, text in invented.items()) + "." if invented else "nothing.")


def _text(engine: WhisperEngine, recording: Recording) -> str:
    said = cuts(recording.pcm)
    for one in said:
        engine.prepare(one.pcm)
    return text_of(engine, said, "en").strip()
