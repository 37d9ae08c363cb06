"""From tokens to words, and where in the audio they are."""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_whisper.tokenizer import Tokenizer

from captions.marks import is_closing
from captions.words import Word, written_with_spaces
from inference.engine.windows import STATES_PER_SECOND

_OPENING = frozenset("\"'“¿([{「『《〈（")  # noqa: RUF001 - these are the marks
_CLOSING = frozenset("\"'.。,，!！?？:：;；”)]}、」』》〉）…") | frozenset(string.punctuation)  # noqa: RUF001 - these are the marks
NO_BREAK_SPACE = "\u00a0"
OPENING_QUOTE = "\u00ab"
_UNDECODABLE = "\ufffd"


@dataclass(slots=True)
class Piece:
    """A word with the tokens that spell it."""

    text: str
    tokens: list[int]


def text_of(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    """The text of ``tokens``; a character that the last tokens only began is left out."""
    text: str = tokenizer.decode(list(tokens))
    return text.rstrip(_UNDECODABLE).strip()


def plain_words(tokenizer: Tokenizer, tokens: Sequence[int], language: str) -> tuple[Word, ...]:
    """Words without times."""
    if written_with_spaces(language):
        return tuple(map(Word, _apart(text_of(tokenizer, tokens))))
    return tuple(Word(piece.text) for piece in pieces(tokenizer, tokens, language))


def pieces(tokenizer: Tokenizer, tokens: Sequence[int], language: str) -> list[Piece]:
    """Words with their tokens, punctuation attached, in order; together they have every token.

    Where ``language`` writes spaces, words are what stands between them. They carry none but before marks that stand
    apart from their word, as in French: a no-break space. Otherwise they are cut
    as OpenAI Whisper does: wherever tokens end at a character's end; spaces inside the text stay, in front.
    """
    subwords, groups = tokenizer.split_tokens_on_unicode(list(tokens))
    left_over = list(tokens)[sum(map(len, groups)) :]
    parts = [Piece(text, list(group)) for text, group in zip(subwords, groups, strict=True)]
    if left_over and parts:
        parts[-1].tokens += left_over
    for part in parts:
        part.text = part.text.rstrip(_UNDECODABLE)
    merged = _join_spaced(parts) if written_with_spaces(language) else _join_punctuation(parts)
    if merged:
        merged[0].text = merged[0].text.lstrip()
    return _without_empty(merged)


def _apart(text: str) -> list[str]:
    """The words of a text, each with the marks that stand apart from it, as in French, behind a no-break space."""
    words: list[str] = []
    for part in text.split():
        if words and (is_closing(part) or words[-1] == OPENING_QUOTE):
            words[-1] += f"{NO_BREAK_SPACE}{part}"
        else:
            words.append(part)
    return words


def _join_spaced(parts: list[Piece]) -> list[Piece]:
    words: list[Piece] = []
    for part in parts:
        if words and not part.text.startswith(" ") and words[-1].text.strip() != "":
            words[-1].text += part.text
            words[-1].tokens += part.tokens
        else:
            words.append(part)
    joined: list[Piece] = []
    for word in words:
        word.text = word.text.strip()
        if joined and (is_closing(word.text) or joined[-1].text == OPENING_QUOTE):
            joined[-1].text += f"{NO_BREAK_SPACE}{word.text}"
            joined[-1].tokens += word.tokens
        else:
            joined.append(word)
    return joined


def _join_punctuation(parts: list[Piece]) -> list[Piece]:
    words: list[Piece] = []
    opening: Piece | None = None
    for current in parts:
        part = current
        if opening is not None:
            part = Piece(opening.text + part.text, opening.tokens + part.tokens)
            opening = None
        bare = part.text.strip()
        if words and bare and all(c in _CLOSING for c in bare):
            words[-1].text += part.text
            words[-1].tokens += part.tokens
        elif bare and all(c in _OPENING for c in bare):
            opening = part
        else:
            words.append(part)
    if opening is not None:
        words.append(opening)
    return words


def _without_empty(words: list[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for word in words:
        if word.text.strip() or not kept:
            kept.append(word)
        else:
            kept[-1].tokens += word.tokens
    if kept and not kept[0].text.strip():
        first = kept.pop(0)
        if kept:
            kept[0].tokens = first.tokens + kept[0].tokens
    return kept


def timed_words(
    words: Sequence[Piece], path: Sequence[tuple[int, int]], probabilities: Sequence[float], duration: float
) -> tuple[Word, ...]:
    """Words with times and confidences, from the alignment of their tokens.

    ``path`` holds (token, state) pairs of dynamic time warping over cross-attention (OpenAI Whisper's
    ``find_alignment``), ``probabilities`` one value a token. A word starts where its first token does and ends
    where the next word starts; its confidence is the mean over its tokens. Times are kept within ``duration``
    seconds.
    """
    token_of, state_of = np.asarray(path, dtype=np.int64).reshape(-1, 2).T
    first_states = state_of[np.flatnonzero(np.diff(token_of, prepend=-1))]
    seconds = np.minimum(first_states / STATES_PER_SECOND, duration)
    bounds = np.cumsum([0, *(len(word.tokens) for word in words)])
    result = []
    for word, begin, end in zip(words, bounds[:-1], bounds[1:], strict=True):
        finish = seconds[end] if end < len(seconds) else duration
        confidence = float(np.mean(probabilities[begin:end]))
        result.append(
            Word(
                word.text,
                round(float(seconds[begin]), 3),
                round(float(max(finish, seconds[begin])), 3),
                round(min(1.0, max(0.0, confidence)), 4),
            )
        )
    return tuple(result)
