"""Deletes what was said in a room: for every reader of the log at once, and from the log as far as it can."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from captions.deletion import write_audio_deletion, write_deletion
from captions.errors import NotFound, RecordError
from captions.log_reading import entries_between
from captions.ports.clock import Clock
from captions.ports.glossaries import Glossaries
from captions.ports.log import Log
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, PARTIALS
from captions.stored_glossary import Owner
from captions.track import RoomId, TrackId
from streamer.rooms.hub import Hub


class Receipt(NamedTuple):
    """When a room was deleted, and when the last of its bytes are gone, in epoch seconds.

    ``gone_by`` is None if the log keeps them without a limit.
    """

    deleted_at: float
    gone_by: float | None


class Deleter:
    """Deletes rooms on one log, with the knowledge of them that ``hub`` and ``glossaries`` have."""

    def __init__(self, log: Log, hub: Hub, clock: Clock, glossaries: Glossaries) -> None:
        self._log = log
        self._hub = hub
        self._clock = clock
        self._glossaries = glossaries

    async def delete(self, room: RoomId) -> Receipt:
        """Delete everything that was said in ``room`` until now, and the terms of its glossary. Sessions go on.

        Returns once this gateway shows nothing of it any more. Raises ``NotFound`` if nothing is known of the room, and
        ``LogError``.
        """
        known = await self._hub.open(room)
        if had_terms := bool(self._glossaries.of(owner := Owner.of_room(room)).glossary.terms):
            await self._glossaries.put(owner, ())
        if known.empty and not had_terms:
            raise NotFound(f"nothing is known of room {room.name}: nobody has spoken there, or it is gone already")
        ends = await self._ends()
        at = self._clock.wall()
        tracks = self._hub.room(room).state.last_utterances
        seq = await self._log.append(CAPTIONS, write_deletion(room, at, ends, tracks))
        await self._hub.until_deleted(room, seq)
        waits = await self._erase(room, seq, ends)  # first: a log that is full lets appends wait
        for track in map(room.track, {**tracks, **self._hub.room(room).state.last_utterances}):
            before = ends[self._log.partition_of(AUDIO, track.key)]
            await self._log.append(AUDIO, write_audio_deletion(track, before))
        return Receipt(at, None if None in waits else at + max(wait for wait in waits if wait is not None))

    async def _ends(self) -> list[int]:
        partitions = range(self._log.partitions(AUDIO))
        return [bounds.end for bounds in await asyncio.gather(*(self._log.bounds(AUDIO, p) for p in partitions))]

    async def _erase(self, room: RoomId, seq: int, ends: list[int]) -> list[float | None]:
        """Erase the room's records; the seconds after which those of each topic are gone."""
        of_room, of_track = _keyed(RoomId.from_key, room), _keyed(_room_of_track, room)
        captions, partials = (self._log.partition_of(topic, room.key) for topic in (CAPTIONS, PARTIALS))
        partials_end = (await self._log.bounds(PARTIALS, partials)).end
        waits = [
            await self._log.erase(CAPTIONS, captions, seq, of_room),
            await self._log.erase(PARTIALS, partials, partials_end, of_room),
        ]
        for partition, end in enumerate(ends):
            # workers read these records still: their headers say that an utterance has ended
            waits.append(await self._log.erase(AUDIO, partition, end, of_track, headers=False))
        for partition in range(self._log.partitions(DEAD_LETTERS)):  # few, and kept for days: often none is the room's
            offsets = [
                e.offset
                async for e in entries_between(self._log, DEAD_LETTERS, partition, since=0.0)
                if of_track(e.record.key)
            ]
            if offsets:
                waits.append(await self._log.erase(DEAD_LETTERS, partition, offsets[-1] + 1, of_track))
        return waits


def _room_of_track(key: str) -> RoomId:
    return TrackId.from_key(key).room


def _keyed(read: Callable[[str], RoomId], room: RoomId) -> Callable[[str], bool]:
    """Whether a key is that of ``room``. A key that cannot be read is nobody's."""

    def doomed(key: str) -> bool:
        with suppress(RecordError):
            return read(key) == room
        return False

    return doomed
