"""Typed events: every message of the server, and two events that only the client creates.

Times are in seconds, offsets in bytes of the audio stream as sent.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from livecaptions_client.errors import RefusedError

PASSES = ("live", "refined", "edited")
"""The passes in order. A caption of a later pass replaces one of an earlier pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base class. ``json`` is the message as the server sent it, with fields that this package does not know."""

    json: dict[str, Any] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Event):
    """The server is ready for audio from byte ``offset`` on. ``session`` is the id to resume the session with."""

    session: str
    room: str
    track: str
    offset: int
    resumable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack(Event):
    """The first ``offset`` bytes are safe on the server."""

    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioWarning(Event):
    """Something is wrong with the audio. The session continues. ``message`` is for the speaker."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word. ``start`` and ``end`` count from the track's first sample; ``confidence`` is in 0..1.

    ``corrected_from`` is what was heard, if a term of the vocabulary replaced it.
    """

    text: str
    start: float
    end: float
    confidence: float | None
    corrected_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption(Event):
    """A caption. It replaces the earlier one of the same track and utterance.

    The first ``stable`` words do not change before the final. A final with an empty ``text`` withdraws its partials.
    ``start`` and ``end`` count from the track's first sample; ``started_at`` is ``start`` in UTC. ``words`` may be
    None on partials. ``seq`` is None on partials; on finals it grows within the room. ``pass_`` is the message's
    ``pass``: ``live``, ``refined`` or ``edited``. ``model`` is the model that decoded a final and the revision of its
    weights, as in ``tiny.en@1a5afae06a4d``; it is None on partials, and may be None on finals.
    """

    room: str
    track: str
    speaker: str | None
    utterance: int
    pass_: str
    revision: int
    final: bool
    language: str
    start: float
    end: float
    started_at: datetime
    text: str
    stable: int
    words: tuple[Word, ...] | None
    seq: int | None
    model: str | None = None

    @property
    def version(self) -> tuple[int, int]:
        """The order of captions of one utterance. A caption replaces those with a lower version."""
        order = PASSES.index(self.pass_) if self.pass_ in PASSES else len(PASSES)
        return order, self.revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Event):
    """A track's ``state`` changed: ``live``, ``away`` for now, or ``ended``."""

    track: str
    speaker: str | None
    state: str
    seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live(Event):
    """The client has received the room so far. Later events happen now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Event):
    """The server no longer has the events after seq ``after``, up to seq ``to``."""

    after: int
    to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Event):
    """Everything that was said in the room up to seq ``seq`` was deleted, and so were the partials so far.

    Remove it from what you show and keep.
    """

    room: str
    seq: int
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Event):
    """The session is complete. It had ``seconds`` of audio. ``warnings`` has the latest warning of each code."""

    offset: int
    seconds: float
    warnings: tuple[AudioWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Error(Event):
    """The server refused. ``retry_after`` is in seconds."""

    code: str
    message: str
    retry_after: float | None

    def refusal(self) -> RefusedError:
        """Return the error to raise."""
        return RefusedError(self.code, self.message, self.retry_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """A message of a type that this package does not know."""

    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnecting(Event):
    """The connection was lost, and the client connects again. The server does not send this."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted(Event):
    """The server lost the session. Unacknowledged audio goes into a new one. The server does not send this."""


def reconnecting(reason: str) -> Reconnecting:
    """Create a ``Reconnecting`` event."""
    return Reconnecting(reason=reason, json={"type": "reconnecting", "reason": reason})


def restarted() -> Restarted:
    """Create a ``Restarted`` event."""
    return Restarted(json={"type": "restarted"})
