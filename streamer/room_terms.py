"""The RoomDirectory port with the terms of all glossaries that count for a room."""

from collections import OrderedDict
from typing import NamedTuple

from captions.ports.glossaries import Glossaries, Kept
from captions.ports.room_directory import RoomDirectory
from captions.room_settings import RoomSettings
from captions.stored_glossary import Owner
from captions.terms import merged
from captions.track import RoomId

MOST_ROOMS = 256
"""Rooms whose terms are kept together, until one of their glossaries changes."""


class _Merged(NamedTuple):
    sources: tuple[RoomSettings, Kept, Kept]
    settings: RoomSettings


class RoomsWithTerms:
    """Adds to what ``rooms`` says the glossary of the room, before its other terms, and the tenant's after them."""

    def __init__(self, rooms: RoomDirectory, glossaries: Glossaries) -> None:
        self._rooms = rooms
        self._glossaries = glossaries
        self._merged: OrderedDict[RoomId, _Merged] = OrderedDict()

    async def settings_of(self, room: RoomId) -> RoomSettings:
        """The current settings of the room. While nothing changes, ``vocabulary`` is the same object."""
        settings = await self._rooms.settings_of(room)
        own, tenants = self._glossaries.of(Owner.of_room(room)), self._glossaries.of(Owner.of_tenant(room))
        if not own.glossary.terms and not tenants.glossary.terms:
            return settings
        sources = (settings, own, tenants)
        known = self._merged.pop(room, None)
        if known is None or any(new is not old for new, old in zip(sources, known.sources, strict=True)):
            terms = merged(own.glossary.terms, settings.vocabulary, tenants.glossary.terms)
            known = _Merged(sources, settings.model_copy(update={"vocabulary": terms}))
        self._merged[room] = known
        if len(self._merged) > MOST_ROOMS:
            self._merged.popitem(last=False)
        return known.settings
