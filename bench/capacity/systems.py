"""The measured systems: servers that receive streams and return captions."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from bench.capacity.pacing import Pace
from bench.capacity.usage import keep_to_cores
from captions.messages import CaptionMessage
from captions.quality import Arrival
from livecaptions.processes import free_port, own_server, ready
from livecaptions_client import Caption, Error, Ready, publish, view

VIEWER_TIMEOUT = 5.0
"""Seconds by which a viewer may receive captions later than the publisher."""


@dataclass(frozen=True)
class Running:
    """A running server. ``pids`` are its processes; empty if they are unknown."""

    url: str
    pids: Sequence[int] = ()


@dataclass
class Received:
    """The captions of one stream. Arrivals are timed from its first sample.

    ``shown`` are the captions in order of arrival. ``finals`` are the arrivals of final text; it is the same list for
    systems whose captions have utterance numbers.
    """

    shown: list[Arrival] = field(default_factory=list)
    finals: list[Arrival] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The transcript."""
        last = {arrival.caption.utterance: arrival.caption for arrival in self.shown if arrival.caption.final}
        return " ".join(last[utterance].text for utterance in sorted(last))


class System(Protocol):
    """A kind of server. ``frame`` is the length of one audio message of its own clients, in seconds."""

    name: str
    frame: float

    def running(self) -> AbstractContextManager[Running]:
        """Start a server for the context, or use the running one. Raises ``SetupError``."""
        ...

    async def speak(self, server: Running, name: str, pace: Pace, received: Received) -> None:
        """Send one stream and store its captions. Raises an error if the stream ends early."""
        ...


class Livecaptions:
    """Our server: at ``url`` with processes ``pids``, or started for every level."""

    frame = 0.02

    def __init__(
        self,
        *,
        url: str | None = None,
        pids: Sequence[int] = (),
        flags: Sequence[str] = (),
        cores: int | None = None,
        language: str = "en",
        token: str | None = None,
    ) -> None:
        self.name = "livecaptions"
        self._url = url
        self._pids = pids
        self._flags = flags
        self._cores = cores
        self._language = language
        self._token = token

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        """Use the server at ``url``, or start one."""
        if self._url is not None:
            yield Running(self._url, self._pids)
            return
        port = free_port()
        with own_server(port, *self._flags) as process:
            if self._cores is not None:
                keep_to_cores(process.pid, self._cores)
            url = f"http://127.0.0.1:{port}"
            asyncio.run(ready(url, [process]))
            yield Running(url, [process.pid])

    async def speak(self, server: Running, name: str, pace: Pace, received: Received) -> None:
        """Publish into a separate room. Captions are timed at the socket of a viewer."""
        began = asyncio.Event()
        seen: set[int] = set()
        news = asyncio.Event()

        async def watch() -> None:
            await began.wait()
            async for event in view(server.url, name, token=self._token):
                if isinstance(event, Caption):
                    received.shown.append(Arrival(pace.elapsed, CaptionMessage.model_validate(event.json)))
                    if event.final:
                        seen.add(event.utterance)
                        news.set()

        received.finals = received.shown
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            finals = await self._publish(server.url, name, pace, began)
            async with asyncio.timeout(VIEWER_TIMEOUT):
                while finals - seen:
                    news.clear()
                    await news.wait()
            watching.cancel()

    async def _publish(self, url: str, room: str, pace: Pace, began: asyncio.Event) -> set[int]:
        """Send one stream and return its final utterances. ``began`` is set when the server is ready."""
        finals: set[int] = set()
        async with publish(url, room, language=self._language, token=self._token) as publication:
            publication.feed(pace.frames())
            async for event in publication:
                match event:
                    case Error():
                        raise event.refusal()
                    case Ready():
                        began.set()
                    case Caption(final=True):
                        finals.add(event.utterance)
        return finals
