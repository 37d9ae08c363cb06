"""The rooms of this gateway, kept up to date by one reader for each partition where a room lives."""

import asyncio
from collections.abc import Callable

import structlog

from captions.errors import RecordError
from captions.messages import RoomEvent
from captions.ports.log import Bounds, Entry, Log
from captions.records import CAPTIONS, PARTIALS, read_room_event
from streamer.rooms.room import Room

logger = structlog.get_logger(__name__)

SWEEP_INTERVAL = 60.0
"""Seconds between two looks for rooms to forget."""


class Hub:
    """Rooms by name. ``listener`` is told of every event read, after its room was."""

    def __init__(self, log: Log, listener: Callable[[RoomEvent], None]) -> None:
        self._log = log
        self._listener = listener
        self._rooms: dict[str, Room] = {}
        self._tails: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._caught_up: dict[tuple[str, int], asyncio.Event] = {}
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def rooms(self) -> list[Room]:
        """Every room something is known of."""
        return list(self._rooms.values())

    def known(self, name: str) -> Room | None:
        """The room, if anything is known of it."""
        return self._rooms.get(name)

    def room(self, name: str) -> Room:
        """The room as it is now; join it before anything is awaited, lest it be forgotten meanwhile."""
        return self._rooms.setdefault(name, Room(name))

    async def open(self, name: str) -> Room:
        """The room, with everything that the log retains of it."""
        self._sweeping = self._sweeping or asyncio.create_task(self._sweep(), name="forget rooms")
        await asyncio.gather(
            *(self._follow(topic, self._log.partition_of(topic, name)) for topic in (CAPTIONS, PARTIALS))
        )
        return self.room(name)

    async def bounds(self, name: str) -> Bounds:
        """Offsets of the partition that gives the room its ``seq``."""
        return await self._log.bounds(CAPTIONS, self._log.partition_of(CAPTIONS, name))

    async def _follow(self, topic: str, partition: int) -> None:
        key = (topic, partition)
        if key not in self._tails:
            self._caught_up[key] = asyncio.Event()
            self._tails[key] = asyncio.create_task(self._tail(topic, partition), name=f"tail {topic}-{partition}")
        await self._caught_up[key].wait()

    async def _tail(self, topic: str, partition: int) -> None:
        caught_up = self._caught_up[topic, partition]
        bounds = await self._log.bounds(topic, partition)
        if bounds.earliest >= bounds.end:
            caught_up.set()
        async for entry in self._log.read(topic, partition, bounds.earliest):
            self._tell(entry)
            if entry.offset >= bounds.end - 1:
                caught_up.set()

    def _tell(self, entry: Entry) -> None:
        try:
            event = read_room_event(entry.record)
        except RecordError as error:
            logger.warning(
                "record_skipped", topic=entry.topic, partition=entry.partition, offset=entry.offset, error=str(error)
            )
            return
        if entry.topic == CAPTIONS:
            event = event.model_copy(update={"seq": entry.offset})
        self.room(event.room).tell(event)
        self._listener(event)

    async def _sweep(self) -> None:
        """Now and then forget the rooms that nobody reads and of which the log retains nothing."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            for name, room in list(self._rooms.items()):
                last = max((event.seq or 0 for event in room.state.history()), default=-1)
                if not room.viewers and last < (await self.bounds(name)).earliest:
                    self._rooms.pop(name, None)

    async def close(self) -> None:
        """Stop reading."""
        tasks = [*self._tails.values(), *([self._sweeping] if self._sweeping else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
