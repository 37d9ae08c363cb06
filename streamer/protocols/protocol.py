"""The interface of a publisher's protocol."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from captions.errors import Refusal
from captions.publication import Command, Event
from captions.stream_options import StreamOptions

Frame = str | bytes
"""A WebSocket message: text or binary."""


Query = Mapping[str, Sequence[str]]
"""Query parameters by name, each with all its values in their order."""


class Closing(NamedTuple):
    """How a connection closes: its last frames, then a close code and a reason (RFC 6455, 7.4)."""

    frames: Sequence[Frame]
    code: int
    reason: str


class PublisherProtocol(Protocol):
    """The protocol of one connection. It does no I/O: frames in, commands out; events in, frames out."""

    largest_frame: int
    """Bytes of the largest frame that a publisher may send."""

    def options(self, query: Query) -> StreamOptions:
        """Parse the query parameters of the publisher's request. Raises ``BadRequest`` if one is not valid."""
        ...

    def receive(self, frame: Frame) -> Sequence[Command]:
        """Translate a publisher's frame into commands. Raises ``ClientFault`` if the frame is not valid."""
        ...

    def send(self, event: Event) -> Sequence[Frame]:
        """Translate an event into frames for the publisher; none if the protocol does not report such events."""
        ...

    def finish(self) -> Closing:
        """How to close the connection after ``Finished``."""
        ...

    def refuse(self, refusal: Refusal) -> Closing:
        """How to close the connection after a refusal."""
        ...
