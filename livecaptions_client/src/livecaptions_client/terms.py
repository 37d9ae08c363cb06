"""Terms to expect, as a server takes them."""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol


class TermLike(Protocol):
    """An object with what is known of a term: how it is written, what it sounds like, and how much it weighs."""

    @property
    def text(self) -> str:
        """The term, as captions should show it."""
        ...

    @property
    def sounds_like(self) -> Sequence[str]:
        """Spellings of how people say it."""
        ...

    @property
    def weight(self) -> float:
        """How much more likely than other terms it is, 0.1 to 10."""
        ...


Term = str | Mapping[str, object] | TermLike
"""A term: its text, or ``text``, ``sounds_like`` and ``weight`` as a mapping or as attributes."""


def written(term: Term) -> str:
    """The term as one value of the query parameter ``vocabulary``."""
    if isinstance(term, str):
        # a value that begins with a bracket is read as JSON
        return json.dumps({"text": term}, ensure_ascii=False) if term.startswith("{") else term
    if isinstance(term, Mapping):
        given = dict(term)
    else:
        given = {"text": term.text, "sounds_like": list(term.sounds_like), "weight": term.weight}
    return json.dumps(given, ensure_ascii=False)
