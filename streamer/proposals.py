"""Finds the terms in a text, for people to choose from. One text at a time: it may take a tenth of a second."""

import asyncio

from captions.errors import TooMany
from captions.term_extraction import proposed_terms
from streamer.word_frequencies import frequency_in

MOST_WAITING = 8


class Proposals:
    """Proposes terms in a thread, so that captions go on meanwhile."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def of(self, text: str, language: str | None) -> tuple[str, ...]:
        """The terms in ``text``, whose language is a BCP 47 tag. Raises ``TooMany`` if other texts wait already."""
        if self._waiting > MOST_WAITING:
            raise TooMany("other texts wait for their terms; try again later")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(_proposed, text, language)
        finally:
            self._waiting -= 1


def _proposed(text: str, language: str | None) -> tuple[str, ...]:
    return proposed_terms(text, frequency_in(language))
