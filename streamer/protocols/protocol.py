"""What every publisher's protocol is to the gateway."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from captions.errors import Refusal
from captions.publication import Command, Event
from captions.stream_options import StreamOptions

Frame = str | bytes
"""A WebSocket message: text or binary."""


Query = Mapping[str, Sequence[str]]
"""The parameters of an address by name, each with all its values in their order."""


class Closing(NamedTuple):
    """The last frames of a connection, and its close code and reason (RFC 6455, 7.4)."""

    frames: Sequence[Frame]
    code: int
    reason: str


class PublisherProtocol(Protocol):
    """One connection's protocol. It does no I/O: frames in, commands out; events in, frames out."""

    def options(self, query: Query) -> StreamOptions:
        """What the publisher asks for in the address it connects to. Raises ``BadRequest``."""
        ...

    def receive(self, frame: Frame) -> Sequence[Command]:
        """What a frame of the publisher asks for. Raises ``ClientFault`` where it is none of the protocol."""
        ...

    def send(self, event: Event) -> Sequence[Frame]:
        """The frames that tell the publisher of an event; none where the protocol has no word for it."""
        ...

    def finish(self) -> Closing:
        """How the connection ends after ``Finished``."""
        ...

    def refuse(self, refusal: Refusal) -> Closing:
        """How the connection ends where the publisher is refused."""
        ...
