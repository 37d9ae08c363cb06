"""Deletions among captions in any order: what viewers, and gateways that come later, are shown."""

import asyncio
import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from captions.caption import Version
from captions.errors import NotFound
from captions.messages import CaptionMessage, Deleted, RoomEvent, TrackMessage
from captions.ports.log import Record
from captions.ports.probe import Probe
from captions.ports.room_directory import NoRoomDirectory
from captions.ports.tracer import NO_TRACES
from captions.records import AUDIO, CAPTIONS, PARTIALS, write_room_event
from captions.track import RoomId
from streamer.glossaries import GlossariesHere
from streamer.rooms.deleter import Deleter
from streamer.rooms.hub import Hub
from streamer.rooms.viewer import Viewer
from tests.captions.messages import caption
from tests.support import LoopClock, memory_log
from transport.memory import MemoryLog

ROOM = RoomId("hall")
Key = tuple[str, int]


def hub_on(log: MemoryLog) -> Hub:
    return Hub(log, lambda *_: None, NO_TRACES, 1 << 20, clock=LoopClock(), rooms=NoRoomDirectory())


@dataclass
class Utterance:
    key: Key
    began: int
    revision: int = 0


@dataclass
class Watcher:
    """A viewer that checks what it is shown; ``gone`` are the utterances that it must not see any more."""

    viewer: Viewer
    gone: set[Key] = field(default_factory=set)
    shown: dict[Key, tuple[bool, Version]] = field(default_factory=dict)
    seq: int = -1

    def see(self, event: RoomEvent | Deleted, deleted: dict[int, set[Key]]) -> None:
        if event.seq is not None:
            assert event.seq > self.seq
            self.seq = event.seq
        if isinstance(event, Deleted):
            assert event.seq is not None
            self.gone |= deleted[event.seq]
        elif isinstance(event, CaptionMessage):
            key = (event.track, event.utterance)
            assert key not in self.gone, "shown after its deletion"
            was_final, version = self.shown.get(key, (False, Version(event.version.pass_, -1)))
            assert event.version > version or (event.final and not was_final)
            assert event.final or not was_final
            self.shown[key] = event.final, event.version


class World:
    """A room on a log with a gateway, what was said there, and who watches."""

    def __init__(self) -> None:
        self.log = memory_log()
        self.hub = hub_on(self.log)
        self.deleter = Deleter(self.log, self.hub, LoopClock(), GlossariesHere())
        self.utterances: list[Utterance] = []
        self.watchers: list[Watcher] = []
        self.deleted: dict[int, set[Key]] = {}
        self.ends = 0

    async def begin(self, track: str) -> None:
        began = await self.log.append(AUDIO, Record(ROOM.track(track).key, b""))
        number = sum(utterance.key[0] == track for utterance in self.utterances)
        self.utterances.append(Utterance((track, number), began))

    async def caption(self, rng: random.Random, *, final: bool) -> None:
        """Of any utterance, also of one that has its final, or was deleted."""
        if not self.utterances:
            return
        utterance = rng.choice(self.utterances[-4:])
        utterance.revision += rng.choice([0, 1, 1])
        track, number = utterance.key
        event = caption(track=track, utterance=number, revision=utterance.revision, final=final)
        record = write_room_event(ROOM, event, began=utterance.began)
        await self.log.append(CAPTIONS if final else PARTIALS, record)

    async def delete(self) -> None:
        said = {utterance.key for utterance in self.utterances}
        try:
            await self.deleter.delete(ROOM)
        except NotFound:
            return
        self.deleted[self.hub.room(ROOM).deleted_to] = said

    async def join(self, rng: random.Random) -> None:
        room = await self.hub.open(ROOM)
        bounds = await self.hub.bounds(ROOM)
        viewer = Viewer(backlog=1000, probe=Probe())
        room.join(viewer)
        after = rng.choice([None, None, *range(bounds.end)])
        watcher = Watcher(viewer, gone=set().union(*self.deleted.values()))
        replay = room.replay(viewer, bounds, after, None)
        if replay.gap is not None:
            watcher.seq = -1
        if replay.deleted is not None:
            assert replay.gap is not None
        for block in replay.blocks:
            for event in room.left_of(block, replay).events:
                assert event.utterance is None or (event.track, event.utterance) not in watcher.gone
                watcher.seq = event.seq
        for encoded in room.partials_of(replay):
            watcher.see(encoded.event, self.deleted)
        self.watchers.append(watcher)

    async def settle(self) -> None:
        """Let the gateway read everything, and the viewers see it."""
        await self.hub.open(ROOM)
        self.ends += 1
        end = await self.log.append(AUDIO, Record(ROOM.track("end").key, b""))
        partial = caption(track="end", utterance=self.ends)
        state = TrackMessage(room="hall", track="end", state="live")
        await self.log.append(PARTIALS, write_room_event(ROOM, partial, began=end))
        last = await self.log.append(CAPTIONS, write_room_event(ROOM, state))
        room = self.hub.room(ROOM)
        while room.history.latest < last or room.state.last_utterances["end"].number < self.ends:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0)
        for watcher in self.watchers:
            for encoded in watcher.viewer.take():
                watcher.see(encoded.event, self.deleted)

    async def close(self) -> None:
        await self.hub.close()


def finals(hub: Hub) -> dict[Key, str]:
    history = hub.room(ROOM).history.finals(before=None, last=None)
    return {(event.track, event.utterance): event.json.decode() for event in history if event.utterance is not None}


async def play(steps: list[str], seed: int) -> None:
    rng, world = random.Random(seed), World()
    for step in steps:
        match step:
            case "begin":
                await world.begin(rng.choice("ab"))
            case "partial" | "final":
                await world.caption(rng, final=step == "final")
            case "delete":
                await world.delete()
            case "join":
                await world.join(rng)
            case "settle":
                await world.settle()
    await world.settle()
    gone = set().union(*world.deleted.values())
    held = finals(world.hub)
    assert not gone & held.keys()
    later = hub_on(world.log)
    await later.open(ROOM)
    assert finals(later) == held
    for track in "ab":
        here, there = (hub.room(ROOM).state.last_utterance(track) for hub in (world.hub, later))
        numbers = [key[1] for key in held if key[0] == track]
        for known in (here, there):
            assert known is None or known.number >= max(numbers, default=-1)
    await later.close()
    await world.close()


STEPS = st.lists(
    st.sampled_from(["begin", "begin", "partial", "partial", "final", "final", "delete", "join", "settle"]),
    min_size=5,
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(STEPS, st.integers(0, 10_000))
def test_a_viewer_never_sees_again_what_was_deleted_and_nothing_goes_back(steps: list[str], seed: int) -> None:
    asyncio.run(asyncio.wait_for(play(steps, seed), 20))
