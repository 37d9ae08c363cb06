"""Glossaries that are kept for a room or a tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from captions.terms import Term, merged, tidied
from captions.track import RoomId


class Owner(NamedTuple):
    """Whose glossary it is: a room's, or where ``room`` is None that of all rooms of ``tenant``.

    ``tenant`` is None for rooms without a tenant.
    """

    tenant: str | None
    room: str | None = None

    @classmethod
    def of_room(cls, room: RoomId) -> "Owner":
        """The room itself."""
        return cls(room.tenant, room.name)

    @classmethod
    def of_tenant(cls, room: RoomId) -> "Owner":
        """The tenant of the room."""
        return cls(room.tenant)

    @property
    def key(self) -> str:
        """The key of the owner's record: that of the room, or the tenant with a slash behind it. Names have none."""
        return f"{self.tenant or ''}/" if self.room is None else RoomId(self.room, self.tenant).key

    @classmethod
    def from_key(cls, key: str) -> "Owner":
        """Parse an owner's key. Raises ``RecordError``."""
        tenant, slash, room = key.rpartition("/")
        if slash and not room and "/" not in tenant:
            return cls(tenant or None)
        return cls.of_room(RoomId.from_key(key))


@dataclass(frozen=True, slots=True)
class StoredGlossary:
    """Terms, and for those that no editor gave where they come from, such as ``correction``."""

    terms: tuple[Term, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def edited(self, terms: tuple[Term, ...]) -> "StoredGlossary":
        """The glossary with ``terms`` instead. Of terms that stay, the source stays."""
        kept = tidied(terms)
        sources = {term.text: self.sources[term.text] for term in kept if term.text in self.sources}
        return StoredGlossary(kept, sources)

    def with_learnt(self, terms: tuple[Term, ...], source: str) -> "StoredGlossary":
        """The glossary with further ``terms`` behind its own, which come from ``source``.

        Terms that it has already stay as they are. Terms beyond ``MOST_TERMS`` are left out.
        """
        all_terms = merged(self.terms, tidied(terms))
        learnt = {term.text: source for term in all_terms[len(self.terms) :]}
        return StoredGlossary(all_terms, {**self.sources, **learnt})
