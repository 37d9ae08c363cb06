"""Deletion of everything that was said in a room, as records of the log.

A deletion is a record of topic ``captions`` with the room's key. What the room's partition holds before it is deleted,
and so is every caption of an utterance whose audio began before it, however late the caption comes. Such a caption says
at which offset of topic ``audio`` its utterance began, and the deletion where each partition of that topic ended. So
offsets decide, and no clocks. Marks on topic ``audio`` tell workers to drop what they hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from captions.errors import RecordError
from captions.explain import explain
from captions.messages import CaptionMessage, Deleted
from captions.ports.log import Entry, Record
from captions.records import began_of, offset_in
from captions.track import RoomId, TrackId

DELETION = "deletion"
"""Header of a deletion: JSON with what its readers have to know."""
DELETED = "deleted"
"""Header of a mark on topic ``audio``: utterances of its track that began before this offset are deleted."""


class LastUtterance(NamedTuple):
    """Where a track has come, without what was said: its last utterance's number, and its end in seconds.

    ``origin`` is the UTC time of the track's first sample, in epoch seconds. ``number`` is -1 if none has captions.
    """

    number: int
    origin: float
    end: float

    @classmethod
    def of(cls, caption: CaptionMessage) -> "LastUtterance":
        """The place of a caption's utterance."""
        return cls(caption.utterance, caption.started_at.timestamp() - caption.start, caption.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A deletion that was read from the log.

    ``seq`` is its offset, ``at`` its time in epoch seconds. ``ends`` are the offsets at which the partitions of topic
    ``audio`` ended. ``tracks`` are the room's tracks: their numbering goes on.
    """

    seq: int
    at: float
    ends: Sequence[int] = ()
    tracks: Mapping[str, LastUtterance] = field(default_factory=dict)

    def covers(self, caption: CaptionMessage, record: Record, partition: int) -> bool:
        """Whether a caption that follows the deletion belongs to an utterance that began before it.

        ``partition`` is that of the caption's track on topic ``audio``. The time decides only for captions that do not
        say where their audio began.
        """
        began = began_of(record)
        if began is None or partition >= len(self.ends):
            return caption.started_at.timestamp() < self.at
        return began < self.ends[partition]

    def after(self, earlier: "Deletion | None") -> "Deletion":
        """This deletion together with an earlier one, which may have read the ends of topic ``audio`` later."""
        if earlier is None or len(earlier.ends) != len(self.ends):
            return self
        ends = [max(pair) for pair in zip(self.ends, earlier.ends, strict=True)]
        return Deletion(seq=self.seq, at=self.at, ends=ends, tracks={**earlier.tracks, **self.tracks})


class _Facts(BaseModel):
    """What the header of a deletion holds. Unknown fields, which newer gateways may write, are ignored."""

    model_config = ConfigDict(allow_inf_nan=False)

    at: float
    ends: list[int]
    tracks: dict[str, LastUtterance]


def write_deletion(room: RoomId, at: float, ends: Sequence[int], tracks: Mapping[str, LastUtterance]) -> Record:
    """Write a deletion as a record of topic ``captions``; its value is what viewers get, without ``seq``."""
    message = Deleted(room=room.name, deleted_at=datetime.fromtimestamp(at, UTC))
    facts = _Facts(at=at, ends=list(ends), tracks=dict(tracks))
    return Record(room.key, message.encode().encode(), {DELETION: facts.model_dump_json().encode()})


def read_deletion(entry: Entry) -> Deletion | None:
    """Read a deletion; None for another record. Raises ``RecordError`` if it cannot be read."""
    header = entry.record.headers.get(DELETION)
    if header is None:
        return None
    try:
        facts = _Facts.model_validate_json(header)
    except ValidationError as error:
        raise RecordError(f"a deletion's header cannot be read: {explain(error)}") from error
    return Deletion(seq=entry.offset, at=facts.at, ends=facts.ends, tracks=facts.tracks)


def deleted_message(room: RoomId, deletion: Deletion) -> Deleted:
    """The message that tells viewers of a deletion."""
    return Deleted(seq=deletion.seq, room=room.name, deleted_at=datetime.fromtimestamp(deletion.at, UTC))


def write_audio_deletion(track: TrackId, before: int) -> Record:
    """Write the mark that tells workers that the track's utterances from before offset ``before`` are deleted."""
    return Record(track.key, b"", {DELETED: str(before).encode()})


def deleted_before(record: Record) -> int | None:
    """The offset in a mark of a deletion; None for another record of topic ``audio``."""
    return offset_in(record.headers.get(DELETED))
