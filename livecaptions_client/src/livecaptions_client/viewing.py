"""A view of a room: it goes on after the last event it saw when the connection is lost."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Literal

from websockets.exceptions import WebSocketException

from livecaptions_client.address import Parameters, check_addresses, socket_url
from livecaptions_client.connection import open_socket
from livecaptions_client.errors import RefusedError
from livecaptions_client.events import Error, Event, Gap, reconnecting
from livecaptions_client.reading import read_event
from livecaptions_client.retry import Retry


def view(
    url: str,
    room: str,
    *,
    after: int | None = None,
    tracks: Iterable[str] = (),
    partials: bool = True,
    history: int | Literal["all", "none"] | None = None,
    token: str | None = None,
) -> AsyncGenerator[Event, None]:
    """View a room: every event of it, for ever. ``Reconnecting`` events are the client's own.

    ``url`` is a server, or several of one installation separated by commas: when one is lost the next one goes on.
    ``after`` is the last ``seq`` seen; later finals come first. Without it the room so far comes first: all of it,
    or as much as ``history`` asks for, ``"none"``, ``"all"`` or a number of finals. ``tracks`` selects tracks; empty
    means all. ``partials`` may be left out. ``token`` is for servers that ask for one.

    Raises ``AddressError`` at once where ``url`` is not a server's address. The iteration raises ``RefusedError``
    for good, and ``UnreachableError``.
    """
    check_addresses(url)
    query = Query(tuple(tracks), partials, history)
    return _followed(url, room, query, after, token)


@dataclass(frozen=True, slots=True)
class Query:
    """What a viewer asks for on every connection."""

    tracks: tuple[str, ...]
    partials: bool
    history: int | Literal["all", "none"] | None

    def parameters(self, after: int | None) -> Parameters:
        """Return the socket's query, to go on after seq ``after``."""
        return [
            *([("after", str(after))] if after is not None else []),
            *(("track", track) for track in self.tracks),
            ("partials", "true" if self.partials else "false"),
            *([("history", str(self.history))] if self.history is not None else []),
        ]


async def _followed(
    url: str, room: str, query: Query, after: int | None, token: str | None
) -> AsyncGenerator[Event, None]:
    retry = Retry(url)
    while True:
        address = socket_url(retry.server, room, "captions", query.parameters(after))
        try:
            async with open_socket(address, token) as ws:
                retry.connected()
                while True:
                    event = read_event(await ws.recv())
                    if isinstance(event, Error):
                        raise event.refusal()
                    seq = event.to if isinstance(event, Gap) else event.json.get("seq")
                    after = seq if isinstance(seq, int) else after
                    yield event
        except (OSError, WebSocketException, RefusedError) as error:
            yield reconnecting(retry.lost(error))
        await retry.wait()
