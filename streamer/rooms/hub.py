"""The rooms of this gateway, kept up to date by one reader for each partition where a room lives."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from captions.caption import CaptionId
from captions.errors import Internal, LogError, RecordError
from captions.messages import CaptionMessage, RoomEvent
from captions.ports.log import Bounds, Entry, Log
from captions.ports.tracer import Tracer
from captions.records import CAPTIONS, PARTIALS, Origin, origin_of, read_room_event, trace_of
from captions.track import RoomId, TrackId
from streamer.batched_callbacks import BatchedCallbacks
from streamer.rooms.room import Room

logger = structlog.get_logger(__name__)

SWEEP_INTERVAL = 60.0
"""Seconds between two looks for rooms to forget."""


WOKEN_AT_A_TIME = 16
"""Viewers woken before the event loop looks after everybody else: a message to one takes about 0.1 ms."""


WEIGHED_EVERY = 500
"""Finals between two looks at what rooms hold: half a megabyte."""


@dataclass(slots=True)
class Tail:
    """The reader of one partition. ``caught_up`` is set when it has told what was there when it began."""

    topic: str
    partition: int
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Hub:
    """Rooms by id. ``listener`` gets every event that is read, and where it comes from, after its room did.

    The finals of all rooms take ``most_bytes`` together: then the oldest go.
    """

    def __init__(
        self, log: Log, listener: Callable[[TrackId, RoomEvent, Origin], None], tracer: Tracer, most_bytes: int
    ) -> None:
        self._log = log
        self._most_bytes = most_bytes
        self._kept = 0
        self._tracer = tracer
        self._listener = listener
        self._rooms: dict[RoomId, Room] = {}
        self._fan_out = BatchedCallbacks(WOKEN_AT_A_TIME)
        self._tails: dict[tuple[str, int], Tail] = {}
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def rooms(self) -> list[Room]:
        """Every room something is known of."""
        return list(self._rooms.values())

    def known(self, room: RoomId) -> Room | None:
        """The room, if anything is known of it."""
        return self._rooms.get(room)

    def room(self, room: RoomId) -> Room:
        """The room as it is now; join it before anything is awaited, lest it be forgotten meanwhile."""
        return self._rooms.setdefault(room, Room(room, self._fan_out))

    async def open(self, room: RoomId) -> Room:
        """The room, with everything that the log retains of it. Raises ``LogError`` where it cannot be read."""
        self._sweeping = self._sweeping or asyncio.create_task(self._sweep(), name="forget what is no longer retained")
        tails = [self._followed(topic, self._log.partition_of(topic, room.key)) for topic in (CAPTIONS, PARTIALS)]
        for tail in tails:
            await tail.caught_up.wait()
            if (tail.topic, tail.partition) not in self._tails:
                raise LogError(f"partition {tail.partition} of topic {tail.topic} cannot be read")
        return self.room(room)

    async def bounds(self, room: RoomId) -> Bounds:
        """Offsets of the partition that gives the room its ``seq``."""
        return await self._log.bounds(CAPTIONS, self._log.partition_of(CAPTIONS, room.key))

    def _followed(self, topic: str, partition: int) -> Tail:
        tail = self._tails.get((topic, partition))
        if tail is None:
            tail = self._tails[topic, partition] = Tail(topic, partition)
            tail.task = asyncio.create_task(self._read(tail), name=f"tail {topic}-{partition}")
        return tail

    async def _read(self, tail: Tail) -> None:
        """Tell what the partition holds and gets. Where that fails its readers are let go; the next one starts anew."""
        try:
            await self._tail(tail)
        except Exception:
            logger.exception("tail_failed", topic=tail.topic, partition=tail.partition)
            del self._tails[tail.topic, tail.partition]
            for room in self.rooms:
                if self._log.partition_of(tail.topic, room.id.key) == tail.partition:
                    for viewer in room.viewers:
                        viewer.end(Internal("the room cannot be read here, which is logged; reconnect"))
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

    def _apply(self, entry: Entry, *, live: bool) -> None:
        try:
            event = read_room_event(entry.record)
            track = TrackId(RoomId.from_key(entry.record.key), event.track)
        except RecordError as error:
            logger.warning(
                "record_skipped", topic=entry.topic, partition=entry.partition, offset=entry.offset, error=str(error)
            )
            return
        if entry.topic == CAPTIONS:
            event = event.model_copy(update={"seq": entry.offset})
            self._kept += 1
            if self._kept % WEIGHED_EVERY == 0:
                self.prune()
        viewers = self.room(track.room).apply(event, entry.timestamp)
        if live and isinstance(event, CaptionMessage):
            self._delivered(track, event, entry, viewers)
        self._listener(track, event, origin_of(entry.record))

    def _delivered(self, track: TrackId, caption: CaptionMessage, entry: Entry, viewers: int) -> None:
        self._tracer.delivered(
            CaptionId(track, caption.utterance),
            trace_of(entry.record),
            kind="final" if caption.final else "partial",
            language=caption.language,
            words=len(caption.words or ()),
            since=entry.timestamp,
            viewers=viewers,
        )

    async def _sweep(self) -> None:
        """Now and then forget what the log no longer retains, and rooms that hold nothing and that nobody reads."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            try:
                await self.forget()
            except LogError:
                logger.exception("rooms_not_swept")

    async def forget(self) -> None:
        """Forget what the log no longer retains. Raises ``LogError`` where it does not say what that is."""
        for room in self.rooms:
            bounds = await self.bounds(room.id)
            room.forget(bounds.earliest)
            room.history.release()
            told_of = max(room.history.latest, room.history.earliest - 1)  # of what was pruned there is a gap to tell
            if not room.viewers and told_of < bounds.earliest:
                self._rooms.pop(room.id, None)
        self.prune()

    def prune(self) -> None:
        """Forget the oldest finals of all rooms, a block at a time, while they are too many."""
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
        """Stop reading."""
        tasks = [task for task in (self._sweeping, *(tail.task for tail in self._tails.values())) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
