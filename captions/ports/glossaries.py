"""The Glossaries port: the terms that are kept for rooms and for tenants."""

from typing import NamedTuple, Protocol

from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import Term


class Kept(NamedTuple):
    """A glossary as it stands. ``version`` changes with its content, and is the same at every gateway."""

    glossary: StoredGlossary
    version: str


class Glossaries(Protocol):
    """Keeps a glossary for each owner. An owner of which nothing is known has an empty one.

    ``tests/streamer/glossaries_contract.py`` tests what adapters promise.
    """

    def of(self, owner: Owner) -> Kept:
        """The glossary as it is known here. Quick: does no I/O. While nothing changes, it is the same object."""
        ...

    async def put(self, owner: Owner, terms: tuple[Term, ...], replaces: str | None = None) -> Kept:
        """Replace the terms, and return what stands then; no terms delete the glossary.

        Raises ``Changed`` if ``replaces`` is not the version that stands there, ``TooLarge``, and ``LogError``.
        """
        ...

    async def add(self, owner: Owner, terms: tuple[Term, ...], source: str) -> Kept:
        """Add terms that were learnt, for example from corrections, behind those that stand there.

        ``source`` says where they come from. Raises ``TooLarge`` and ``LogError``.
        """
        ...
