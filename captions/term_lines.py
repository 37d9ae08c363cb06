"""Terms as lines of text, for files and for people who paste them.

::

    # names of the morning
    Ada Lovelace
    kubectl | cube control, kube cuddle | 2

A line is a term, what it sounds like and its weight. Blank lines and lines that begin with ``#`` are ignored. A
backslash before ``|``, ``,``, ``#`` or another backslash makes it a plain character.
"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from captions.explain import explain
from captions.terms import HEAVIEST, LIGHTEST, LONGEST_TERM, MOST_TERMS, Term, tidied

_CHARACTERS = re.compile(r"\\[\\|,#]|.", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\|,#])")
_NUMBER = re.compile(r"[0-9]{1,2}(\.[0-9]{1,20})?")
_FIELDS = 3


class LineError(ValueError):
    """A line is no term. The message begins with the number of the line."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"line {number}: {problem}")


def read_terms(text: str) -> tuple[Term, ...]:
    """Read terms, each once. Raises ``LineError`` at the first line that is wrong."""
    terms: list[Term] = []
    for number, line in enumerate(map(str.strip, text.removeprefix("\ufeff").splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        if len(terms) == MOST_TERMS:
            raise LineError(number, f"there are more than {MOST_TERMS} terms; remove some")
        terms.append(_term(number, line))
    return tidied(terms)


def write_terms(terms: Iterable[Term]) -> str:
    """Write terms as lines that ``read_terms`` reads."""
    return "".join(f"{_line(term)}\n" for term in tidied(terms))


def _term(number: int, line: str) -> Term:
    fields = _split(line, "|")
    if len(fields) > _FIELDS:
        raise LineError(number, "write term | sounds like, sounds like | weight, and \\| for a | in a term")
    given: dict[str, Any] = {"text": _plain(fields[0])}
    if not given["text"]:
        raise LineError(number, "the term is missing")
    if len(given["text"]) > LONGEST_TERM:
        raise LineError(number, f"the term is longer than {LONGEST_TERM} characters")
    if len(fields) > 1:
        given["sounds_like"] = tuple(filter(None, map(_plain, _split(fields[1], ","))))
    if len(fields) == _FIELDS:
        weight = fields[2].strip()
        if not _NUMBER.fullmatch(weight) or not LIGHTEST <= float(weight) <= HEAVIEST:
            raise LineError(number, f"the weight must be {LIGHTEST} to {HEAVIEST}")
        given["weight"] = float(weight)
    try:
        return Term.model_validate(given)
    except ValidationError as error:
        raise LineError(number, explain(error)) from error


def _line(term: Term) -> str:
    text = _escaped(term.text, "|")
    fields = ["\\" + text if text.startswith("#") else text]
    if not term.plain:
        fields.append(", ".join(_escaped(spelling, "|,") for spelling in term.sounds_like))
    if term.weight != 1.0:
        fields.append(repr(term.weight))
    return " | ".join(fields)


def _split(text: str, separator: str) -> list[str]:
    """Split at each separator without a backslash before it. The parts keep their backslashes."""
    parts: list[list[str]] = [[]]
    for character in _CHARACTERS.findall(text):
        if character == separator:
            parts.append([])
        else:
            parts[-1].append(character)
    return ["".join(part) for part in parts]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text).strip()


def _escaped(text: str, special: str) -> str:
    return re.sub(rf"[\\{special}]", r"\\\g<0>", text)
