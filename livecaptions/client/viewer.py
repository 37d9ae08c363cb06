"""A viewer: follows a room, and goes on after the last event it saw when the connection is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from livecaptions.client.address import Parameters, authorization, socket_url
from livecaptions.client.publisher import PATIENCE, Event
from livecaptions.client.refused import RefusedError, describe, raise_refusal, refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What to see: ``after`` is the last ``seq`` seen, ``tracks`` empty means all."""

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


async def view(wanted: View) -> AsyncIterator[Event]:
    """Every message of the room, for ever; ``reconnecting`` events are our own.

    Raises ``RefusedError`` for good, ``OSError`` where the server stays out of reach.
    """
    loop = asyncio.get_running_loop()
    after = wanted.after
    lost_at, delay = loop.time(), 0.25
    while True:
        url = socket_url(wanted.server, wanted.room, "captions", wanted.parameters(after))
        try:
            async with connect(
                url, compression=None, max_size=None, additional_headers=authorization(wanted.token)
            ) as ws:
                async for text in ws:
                    event: Event = json.loads(text)
                    after = event.get("seq", after)
                    raise_refusal(event)
                    yield event
                    lost_at, delay = loop.time(), 0.25
            reason = "connection closed"
        except InvalidStatus as error:
            refused = refusal_of(error)
            if not refused.passing:
                raise refused from error
            reason, delay = str(refused), max(delay, refused.retry_after or 0)
        except RefusedError as refused:
            if not refused.passing:
                raise
            reason, delay = str(refused), max(delay, refused.retry_after or 0)
        except (OSError, TimeoutError, WebSocketException) as error:
            if loop.time() - lost_at > PATIENCE:
                raise
            reason = describe(error)
        yield {"type": "reconnecting", "reason": reason}
        await asyncio.sleep(delay)
        delay = min(delay * 2, 5.0)
