"""The rooms of this gateway. One reader per partition keeps them up to date."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from captions.caption import CaptionId, Pass
from captions.deletion import Deletion, read_deletion
from captions.errors import Internal, LogError, RecordError
from captions.messages import CaptionMessage, RoomEvent
from captions.ports.clock import Clock
from captions.ports.log import Bounds, Entry, Log
from captions.ports.room_directory import RoomDirectory
from captions.ports.tracer import Tracer
from captions.records import AUDIO, CAPTIONS, PARTIALS, Origin, origin_of, read_room_event, trace_of
from captions.track import RoomId, TrackId
from streamer.batched_callbacks import BatchedCallbacks
from streamer.rooms.room import Room

logger = structlog.get_logger(__name__)

SWEEP_INTERVAL = 60.0
"""Seconds between two removals of events and rooms that the log no longer retains."""

WOKEN_PER_ITERATION = 16
"""Viewers woken in one iteration of the event loop. Sending a message to one takes about 0.1 ms."""

PRUNE_INTERVAL = 500
"""Finals between two checks of the memory that histories use: about half a megabyte."""


@dataclass(slots=True)
class Tail:
    """The reader of one partition. ``caught_up`` is set when it has read all records that existed when it began."""

    topic: str
    partition: int
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Hub:
    """Rooms by id.

    ``on_event`` is called with every event and its origin, after the event's room has applied it, and ``on_deletion``
    with every room that is deleted while this gateway follows it. ``most_bytes`` limits the memory of all histories
    together: the oldest finals are forgotten first. ``rooms`` says for how long finals of a room can be read.
    """

    def __init__(
        self,
        log: Log,
        on_event: Callable[[TrackId, RoomEvent, Origin, bool], None],
        tracer: Tracer,
        most_bytes: int,
        *,
        clock: Clock,
        rooms: RoomDirectory,
        on_deletion: Callable[[RoomId], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._directory = rooms
        self._on_deletion = on_deletion
        self._deleted = asyncio.Event()
        self._most_bytes = most_bytes
        self._events_kept = 0
        self._tracer = tracer
        self._on_event = on_event
        self._rooms: dict[RoomId, Room] = {}
        self._fan_out = BatchedCallbacks(WOKEN_PER_ITERATION)
        self._tails: dict[tuple[str, int], Tail] = {}
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def rooms(self) -> list[Room]:
        """All rooms that this gateway knows."""
        return list(self._rooms.values())

    def known(self, room: RoomId) -> Room | None:
        """The room, or None if this gateway does not know it."""
        return self._rooms.get(room)

    def room(self, room: RoomId) -> Room:
        """The room as it is now, created if needed. Join it before the next ``await``: unused rooms are forgotten."""
        return self._rooms.setdefault(room, Room(room, self._fan_out))

    async def open(self, room: RoomId) -> Room:
        """The room with everything that can be read of it. Raises ``LogError`` if the log cannot be read."""
        self._sweeping = self._sweeping or asyncio.create_task(self._sweep(), name="forget what is no longer retained")
        tails = [self._followed(topic, self._log.partition_of(topic, room.key)) for topic in (CAPTIONS, PARTIALS)]
        for tail in tails:
            await tail.caught_up.wait()
            if (tail.topic, tail.partition) not in self._tails:
                raise LogError(f"partition {tail.partition} of topic {tail.topic} cannot be read")
        await self._expire(self.room(room))
        return self.room(room)

    async def until_deleted(self, room: RoomId, seq: int) -> None:
        """Wait until this gateway has applied the deletion at ``seq``, or a later one."""
        while self.room(room).deleted_to < seq:
            await self._deleted.wait()

    async def bounds(self, room: RoomId) -> Bounds:
        """The offsets of the partition that assigns the room's ``seq``. Raises ``LogError``."""
        return await self._log.bounds(CAPTIONS, self._log.partition_of(CAPTIONS, room.key))

    def _followed(self, topic: str, partition: int) -> Tail:
        tail = self._tails.get((topic, partition))
        if tail is None:
            tail = self._tails[topic, partition] = Tail(topic, partition)
            tail.task = asyncio.create_task(self._read(tail), name=f"tail {topic}-{partition}")
        return tail

    async def _read(self, tail: Tail) -> None:
        """Apply all records of the partition, old and new.

        If reading fails, the viewers of its rooms are disconnected, and the next viewer starts a new reader.
        """
        try:
            await self._tail(tail)
        except Exception:
            logger.exception("tail_failed", topic=tail.topic, partition=tail.partition)
            del self._tails[tail.topic, tail.partition]
            for room in self.rooms:
                if self._log.partition_of(tail.topic, room.id.key) == tail.partition:
                    for viewer in room.viewers:
                        viewer.end(Internal("the server failed to read the room and logged the cause; reconnect"))
        finally:
            tail.caught_up.set()

    async def _tail(self, tail: Tail) -> None:
        bounds = await self._log.bounds(tail.topic, tail.partition)
        if bounds.earliest >= bounds.end:
            tail.caught_up.set()
        async for entry in self._log.read(tail.topic, tail.partition, bounds.earliest):
            self._apply(entry, live=tail.caught_up.is_set())
            if entry.offset >= bounds.end - 1:
                tail.caught_up.set()
            del entry  # it may be deleted while the next is waited for

    def _apply(self, entry: Entry, *, live: bool) -> None:
        if entry.record.erased:
            return
        try:
            if (deletion := read_deletion(entry)) is not None:
                self._delete(RoomId.from_key(entry.record.key), deletion, live=live)
                return
            event = read_room_event(entry.record)
            track = TrackId(RoomId.from_key(entry.record.key), event.track)
        except RecordError as error:
            logger.warning(
                "record_skipped", topic=entry.topic, partition=entry.partition, offset=entry.offset, error=str(error)
            )
            return
        if entry.topic == CAPTIONS:
            event = event.model_copy(update={"seq": entry.offset})
            self._events_kept += 1
            if self._events_kept % PRUNE_INTERVAL == 0:
                self.prune()
        room = self.room(track.room)
        if room.deletion is not None and room.deletes(event, entry.record, self._log.partition_of(AUDIO, track.key)):
            self._on_event(track, event, origin_of(entry.record), live)  # its session waits for a final, even this one
            return
        viewers = room.apply(event, entry.timestamp)
        if live and isinstance(event, CaptionMessage):
            self._trace_delivery(track, event, entry, viewers)
        self._on_event(track, event, origin_of(entry.record), live)

    def _delete(self, room: RoomId, deletion: Deletion, *, live: bool) -> None:
        self.room(room).delete(deletion)
        deleted, self._deleted = self._deleted, asyncio.Event()
        deleted.set()
        if live:
            self._on_deletion(room)

    def _trace_delivery(self, track: TrackId, caption: CaptionMessage, entry: Entry, viewers: int) -> None:
        self._tracer.delivered(
            CaptionId(track, caption.utterance),
            trace_of(entry.record),
            kind=_kind_of(caption),
            language=caption.language,
            words=len(caption.words or ()),
            since=entry.timestamp,
            viewers=viewers,
        )

    async def _sweep(self) -> None:
        """Call ``forget`` regularly."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            try:
                await self.forget()
            except LogError:
                logger.exception("rooms_not_swept")

    async def _expire(self, room: Room) -> None:
        """Forget, and erase from the log, what is older than the room's own retention. Raises ``LogError``."""
        retention = (await self._directory.settings_of(room.id)).retention
        if retention is None:
            return
        before = room.history.expired(self._clock.wall() - retention)
        if before > room.history.earliest:
            room.expire(before)
            partition = self._log.partition_of(CAPTIONS, room.id.key)
            await self._log.erase(CAPTIONS, partition, before, lambda key: key == room.id.key)

    async def forget(self) -> None:
        """Forget events that are no longer retained, and rooms without events and viewers. Raises ``LogError``."""
        for room in self.rooms:
            bounds = await self.bounds(room.id)
            room.forget(bounds.earliest)
            await self._expire(room)
            room.history.release()
            known_to = max(room.history.latest, room.history.earliest - 1)  # pruned events still cause a gap
            if not room.viewers and known_to < bounds.earliest:
                self._rooms.pop(room.id, None)
        self.prune()

    def prune(self) -> None:
        """Forget the oldest finals of all rooms, block by block, until the histories fit in ``most_bytes``."""
        over = sum(room.history.weight for room in self._rooms.values()) - self._most_bytes
        if over <= 0:
            return
        blocks = [(block.events[-1].at, room, block) for room in self._rooms.values() for block in room.history.blocks]
        for _, room, block in sorted(blocks, key=lambda place: place[0]):
            if over <= 0:
                break
            over -= block.weight
            room.forget(block.events[-1].seq + 1)

    async def close(self) -> None:
        """Stop all readers."""
        tasks = [task for task in (self._sweeping, *(tail.task for tail in self._tails.values())) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _kind_of(caption: CaptionMessage) -> str:
    """``partial`` or ``final`` for a caption of the live pass, otherwise the name of its pass."""
    if caption.version.pass_ > Pass.LIVE:
        return caption.pass_
    return "final" if caption.final else "partial"
