"""The open connections of one server: how many there may be, and how long each may take to ask for something.

A connection *waits* until the head of its request is complete, and again once it has its answer. Connections that wait
cost little, so many are allowed; but when a place is needed, the one that has waited longest loses it. Honest clients
ask as soon as they are connected.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from math import inf

from captions.connection_end import ConnectionEnd
from captions.ports.probe import Probe
from streamer.web.address import counted_address

GRACE = 1.0
"""Seconds for which nobody takes a waiting connection's place."""

UNREAD_TIMEOUT = 20.0
"""Seconds in which a peer has to read ``LEAST_READ`` bytes, or all there are, once its connection is being closed."""

LEAST_READ = 16 * 1024

SWEEP_INTERVAL = 1.0
SWEPT_AT_A_TIME = 100
"""Connections looked at in one iteration of the event loop."""

SHARE_OF_FILES = 0.5
"""Of the open files; the rest is for decoders' processes, brokers, logs and connections that are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a server takes on. ``request_timeout`` is in seconds."""

    total: int = 10_000
    per_address: int = 6_000
    request_timeout: float = 10.0

    def within(self, open_files: int) -> "ConnectionLimits":
        """These limits, lowered to what so many open files allow."""
        most = max(1, int(open_files * SHARE_OF_FILES))
        return ConnectionLimits(
            total=min(self.total, most),
            per_address=min(self.per_address, most),
            request_timeout=self.request_timeout,
        )


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection. ``due`` is when it is closed as late, in the loop's time; inf while nothing is due.

    ``close`` tells the peer the reason if it can, and closes.
    """

    transport: asyncio.Transport
    address: str
    close: Callable[[ConnectionEnd], None]
    due: float = inf
    waiting_since: float = inf
    unread: int = 0
    unread_since: float = inf


@dataclass(slots=True)
class _Address:
    """The connections of one address, at ``most`` so many; those that wait in the order in which they began to."""

    most: int
    open: int = 0
    waiting: dict[Connection, None] = field(default_factory=dict)


class Connections:
    """All connections of one server. Its ``watch`` closes those that are late.

    ``trusted_proxies``, addresses and networks, may have as many connections as there may be in total.
    """

    def __init__(self, limits: ConnectionLimits, probe: Probe, trusted_proxies: Sequence[str] = ()) -> None:
        self.limits = limits
        self._proxies = [ip_network(proxy, strict=False) for proxy in trusted_proxies]
        self._probe = probe
        self._open: dict[asyncio.Transport, Connection] = {}
        self._waiting: dict[Connection, None] = {}
        self._addresses: dict[str, _Address] = {}

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def opened(self, transport: asyncio.Transport, close: Callable[[ConnectionEnd], None]) -> Connection | None:
        """Take a new connection on. Returns None if there is no place for it: the caller has to close it."""
        now, address = _now(), address_of(transport)
        known = self._addresses.get(address) or _Address(self._most_of(transport))
        if (len(self._open) >= self.limits.total and not self._make_room(self._waiting, now)) or (
            known.open >= known.most and not self._make_room(known.waiting, now)
        ):
            self.count(ConnectionEnd.FULL)
            return None
        self._addresses[address] = known
        known.open += 1
        connection = self._open[transport] = Connection(transport, address, close)
        self.waits(connection)
        return connection

    def _most_of(self, transport: asyncio.Transport) -> int:
        peer = transport.get_extra_info("peername")
        trusted = self._proxies and peer and any(ip_address(peer[0]) in network for network in self._proxies)
        return self.limits.total if trusted else self.limits.per_address

    def of(self, transport: asyncio.Transport) -> Connection | None:
        """The connection of a transport; None if it is closed already."""
        return self._open.get(transport)

    def waits(self, connection: Connection) -> None:
        """The connection has its answers; a next request is due."""
        if connection.transport not in self._open:
            return
        connection.waiting_since = _now()
        connection.due = connection.waiting_since + self.limits.request_timeout
        for waiting in (self._waiting, self._addresses[connection.address].waiting):
            waiting.pop(connection, None)
            waiting[connection] = None

    def busy(self, connection: Connection, due: float = inf) -> None:
        """The head of a request is complete; the rest is ``due``."""
        connection.due = due
        self._waiting.pop(connection, None)
        if (address := self._addresses.get(connection.address)) is not None:
            address.waiting.pop(connection, None)

    def lost(self, connection: Connection) -> None:
        """The connection is closed."""
        if self._open.pop(connection.transport, None) is None:
            return
        self.busy(connection)
        address = self._addresses[connection.address]
        address.open -= 1
        if not address.open:
            del self._addresses[connection.address]

    def count(self, end: ConnectionEnd) -> None:
        """A connection was closed for this reason."""
        self._probe.connection_closed(end)

    async def watch(self) -> None:
        """Close what is late, every second until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            for number, connection in enumerate(tuple(self._open.values()), 1):
                self._check(connection, _now())
                if number % SWEPT_AT_A_TIME == 0:
                    await asyncio.sleep(0)  # audio goes first

    def _check(self, connection: Connection, now: float) -> None:
        if connection.transport.is_closing():
            self._check_unread(connection, now)
        elif now >= connection.due:
            connection.due = inf
            self.count(ConnectionEnd.LATE)
            connection.close(ConnectionEnd.LATE)

    def _check_unread(self, connection: Connection, now: float) -> None:
        """Abort a connection that cannot close because its peer does not read."""
        size = connection.transport.get_write_buffer_size()
        if connection.unread_since == inf or size <= connection.unread - LEAST_READ:
            connection.unread, connection.unread_since = size, now
        elif now - connection.unread_since >= UNREAD_TIMEOUT:
            self.count(ConnectionEnd.UNREAD)
            connection.transport.abort()
            self.lost(connection)

    def _make_room(self, waiting: dict[Connection, None], now: float) -> bool:
        """Close the connection that has waited longest. Returns whether there was one that may be closed."""
        longest = next(iter(waiting), None)
        if longest is None or now - longest.waiting_since < GRACE:
            return False
        self.count(ConnectionEnd.CROWDED)
        longest.transport.abort()
        self.lost(longest)
        return True


def address_of(transport: asyncio.BaseTransport) -> str:
    """Who is connected, as far as the address tells."""
    peer = transport.get_extra_info("peername")
    return counted_address(str(peer[0]) if peer else "")


def _now() -> float:
    return asyncio.get_running_loop().time()
