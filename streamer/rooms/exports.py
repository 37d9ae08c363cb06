"""Transcripts for many clients at little cost: one is written at a time, for everybody who asks for the same."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from captions.errors import TooMany
from captions.track import RoomId
from streamer.rooms.room import Room
from streamer.rooms.transcripts import Selection, write_transcript

MOST_WAITING = 8
"""Different transcripts that wait for their turn. More are refused."""

CACHE_BYTES = 16 * 1024 * 1024
"""Memory for transcripts that were written lately, for those who ask next. Six hours of one speaker are about 5 MB."""

CACHED_FOR = 60.0
"""Seconds for which a transcript is kept: a hall that downloads it at the end does so in a minute or two."""


class _State(NamedTuple):
    """What a room's finals depend on. Two transcripts of the same state and selection are equal."""

    latest: int
    earliest: int
    deleted_to: int


Key = tuple[RoomId, Selection]


@dataclass(frozen=True, slots=True)
class _Written:
    state: _State
    content: bytes
    expires: asyncio.TimerHandle


@dataclass(eq=False, slots=True)
class _Job:
    """One transcript to write. ``state`` is None until its turn, when it takes the finals of that moment."""

    waiting: int = 0
    state: _State | None = None
    abandoned: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[bytes] = field(init=False)


class Exports:
    """The transcripts of one gateway."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="transcripts")
        self._jobs: dict[Key, _Job] = {}
        self._unfinished: set[_Job] = set()
        self._written: dict[Key, _Written] = {}

    async def transcript(self, room: Room, wanted: Selection) -> bytes:
        """The transcript of the room as it is now, or will be in its turn. Raises ``TooMany``.

        A transcript that nobody waits for any more, because all who asked were cancelled, is not written. The room may
        be deleted meanwhile: compare ``room.deleted_to`` afterwards.
        """
        key = (room.id, wanted)
        state = _state_of(room)
        if (written := self._written.get(key)) is not None and written.state == state:
            return written.content
        job = self._jobs.get(key)
        if job is None or job.state not in {None, state}:
            job = self._begin(room, key)
        job.waiting += 1
        try:
            return await asyncio.shield(job.task)
        finally:
            job.waiting -= 1
            if not job.waiting:
                self._end(key, job)

    def _begin(self, room: Room, key: Key) -> _Job:
        if len(self._unfinished) > MOST_WAITING:
            raise TooMany(f"{MOST_WAITING} transcripts are waiting to be written, which is the limit; try again later")
        job = self._jobs[key] = _Job()
        self._unfinished.add(job)
        job.task = asyncio.create_task(self._write(job, room, key), name=f"transcript {room.id.key}")
        return job

    def _end(self, key: Key, job: _Job) -> None:
        job.abandoned.set()
        job.task.cancel()
        self._unfinished.discard(job)
        if self._jobs.get(key) is job:
            del self._jobs[key]

    async def _write(self, job: _Job, room: Room, key: Key) -> bytes:
        wanted = key[1]
        async with self._turn:
            job.state = _state_of(room)
            finals = room.history.finals(before=wanted.before, last=wanted.last)
            loop = asyncio.get_running_loop()
            content = await loop.run_in_executor(self._thread, write_transcript, wanted.format, finals, job.abandoned)
        self._unfinished.discard(job)
        if job.state.deleted_to == room.deleted_to:
            self._keep(key, job.state, content)
        return content

    def _keep(self, key: Key, state: _State, content: bytes) -> None:
        self._drop(key)
        if len(content) > CACHE_BYTES:
            return
        expires = asyncio.get_running_loop().call_later(CACHED_FOR, self._drop, key)
        self._written[key] = _Written(state, content, expires)
        while sum(len(written.content) for written in self._written.values()) > CACHE_BYTES:
            self._drop(next(iter(self._written)))

    def _drop(self, key: Key) -> None:
        if (written := self._written.pop(key, None)) is not None:
            written.expires.cancel()

    def deleted(self, room: RoomId) -> None:
        """Keep nothing that was said in ``room``."""
        for key in [key for key in self._written if key[0] == room]:
            self._drop(key)

    def close(self) -> None:
        """Write nothing more."""
        for job in self._unfinished:
            job.abandoned.set()
        for key in [*self._written]:
            self._drop(key)
        self._thread.shutdown(wait=False, cancel_futures=True)


def _state_of(room: Room) -> _State:
    return _State(room.history.latest, room.history.earliest, room.deleted_to)
