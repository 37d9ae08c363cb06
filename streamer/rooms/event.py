"""A room's event, encoded once for all viewers."""

from functools import cached_property

from captions.messages import CaptionMessage, Deleted, RoomEvent
from streamer.rooms.frames import text_frame


class Encoded:
    """An event in the forms that viewers receive. Each form is encoded once, when the first viewer needs it."""

    def __init__(self, event: RoomEvent | Deleted) -> None:
        self.event = event

    @cached_property
    def json(self) -> bytes:
        """The message as UTF-8 JSON."""
        return self.event.encode().encode()

    @cached_property
    def frame(self) -> bytes:
        """The message as a WebSocket text frame."""
        return text_frame(self.json)

    @cached_property
    def sse(self) -> bytes:
        """The message as a server-sent event. Its id is the ``seq``; partials have none."""
        return server_sent(self.event.type, self.json, self.event.seq)

    @property
    def partial_of(self) -> tuple[str, int] | None:
        """The (track, utterance) of a partial; None for finals and track states."""
        event = self.event
        return (event.track, event.utterance) if isinstance(event, CaptionMessage) and not event.final else None

    @property
    def final_of(self) -> tuple[str, int] | None:
        """The (track, utterance) of a final; None for partials and track states."""
        event = self.event
        return (event.track, event.utterance) if isinstance(event, CaptionMessage) and event.final else None


def server_sent(kind: str, data: bytes, seq: int | None = None) -> bytes:
    """Encode one event of an event stream (HTML Living Standard, 9.2)."""
    head = f"id: {seq}\n" if seq is not None else ""
    return b"%sevent: %s\ndata: %s\n\n" % (head.encode(), kind.encode(), data)
