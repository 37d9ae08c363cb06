"""A viewer: follows a room, and goes on after the last event it saw when the connection is lost."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from websockets.exceptions import WebSocketException

from livecaptions.client.address import Parameters, open_socket, socket_url
from livecaptions.client.publisher import Event
from livecaptions.client.refused import RefusedError, raise_refusal, read_event
from livecaptions.client.retry import Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What to see: ``after`` is the last ``seq`` seen, ``tracks`` empty means all.

    ``server`` may be several of one installation, separated by commas: when one is lost the next one goes on.
    """

    server: str
    room: str
    after: int | None = None
    tracks: Sequence[str] = ()
    partials: bool = True
    token: str | None = None

    def parameters(self, after: int | None) -> Parameters:
        """The query of the socket."""
        return [
            *([("after", str(after))] if after is not None else []),
            *(("track", track) for track in self.tracks),
            ("partials", "true" if self.partials else "false"),
        ]


async def view(wanted: View) -> AsyncGenerator[Event, None]:
    """Every message of the room, for ever; ``reconnecting`` events are our own.

    Raises ``RefusedError`` for good, ``UnreachableError`` where the server is out of reach.
    """
    after = wanted.after
    retry = Retry(wanted.server)
    while True:
        url = socket_url(retry.server, wanted.room, "captions", wanted.parameters(after))
        try:
            async with open_socket(url, wanted.token) as ws:
                retry.connected()
                while True:
                    event = read_event(await ws.recv())
                    after = event["to"] if event["type"] == "gap" else event.get("seq", after)
                    raise_refusal(event)
                    yield event
        except (OSError, WebSocketException, RefusedError) as error:
            yield {"type": "reconnecting", "reason": retry.lost(error)}
        await retry.wait()
