"""A view of a room. After a lost connection it continues after the last event it received."""

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
    """View a room: yields its events without end, and a ``Reconnecting`` event for each lost connection.

    ``url`` is a server, or several servers of one installation separated by commas. If one is lost, the client
    continues with the next. ``after`` is the last ``seq`` that was received: later finals come first. Without it, the
    room so far comes first. ``history`` says how much of it: ``"all"``, ``"none"`` or a number of finals; None means
    all. ``tracks`` selects tracks; empty means all. ``partials`` may be switched off. ``token`` is for servers that
    require one.

    Raises ``AddressError`` immediately if ``url`` is not a server's address. The iteration raises ``RefusedError`` if
    the refusal is final, and ``UnreachableError``.
    """
    check_addresses(url)
    query = Query(tuple(tracks), partials, history)
    return _follow(url, room, query, after, token)


@dataclass(frozen=True, slots=True)
class Query:
    """The query parameters that are the same on every connection."""

    tracks: tuple[str, ...]
    partials: bool
    history: int | Literal["all", "none"] | None

    def parameters(self, after: int | None) -> Parameters:
        """Return the query parameters to continue after seq ``after``."""
        return [
            *([("after", str(after))] if after is not None else []),
            *(("track", track) for track in self.tracks),
            ("partials", "true" if self.partials else "false"),
            *([("history", str(self.history))] if self.history is not None else []),
        ]


async def _follow(
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
