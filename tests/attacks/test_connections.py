"""The places that connections take, in virtual time and without sockets."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.connection_end import ConnectionEnd
from captions.ports.probe import Probe
from livecaptions.server.connections import (
    GRACE,
    LEAST_READ,
    SWEEP_INTERVAL,
    UNREAD_TIMEOUT,
    Connection,
    ConnectionLimits,
    Connections,
)


@dataclass(eq=False)
class Transport:
    """As much of a transport as is asked for."""

    address: str = "192.0.2.1"
    closing: bool = False
    aborted: bool = False
    buffered: int = 0
    told: list[ConnectionEnd] = field(default_factory=list)

    def get_extra_info(self, _: str) -> tuple[str, int] | None:
        return (self.address, 1) if self.address else None

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = self.closing = True

    def get_write_buffer_size(self) -> int:
        return self.buffered


class Ends(Probe):
    """The reasons that the probe heard."""

    def __init__(self) -> None:
        self.heard: list[ConnectionEnd] = []

    def connection_closed(self, end: ConnectionEnd) -> None:
        self.heard.append(end)


class Server:
    """Connections, and a way to open one."""

    def __init__(self, trusted_proxies: Sequence[str] = (), **limits: Any) -> None:  # noqa: ANN401 - the limits' own
        self.ends = Ends()
        self.connections = Connections(ConnectionLimits(**limits), self.ends, trusted_proxies)

    def open(self, address: str = "192.0.2.1") -> tuple[Transport, Connection | None]:
        transport = Transport(address)
        return transport, self.connections.opened(cast("asyncio.Transport", transport), transport.told.append)


@pytest.mark.looptime
async def test_only_who_waits_and_has_had_its_time_loses_its_place() -> None:
    server = Server(total=2)
    (served, of_served), (waiting, _) = server.open(), server.open()
    assert of_served is not None
    server.connections.busy(of_served)
    assert server.open()[1] is None
    await asyncio.sleep(GRACE)
    assert server.open()[1] is not None
    assert (served.aborted, waiting.aborted) == (False, True)
    assert server.ends.heard == [ConnectionEnd.FULL, ConnectionEnd.CROWDED]
    assert len(server.connections) == 2


@pytest.mark.looptime
async def test_the_one_that_has_waited_longest_goes_first() -> None:
    server = Server(total=3)
    opened = [server.open() for _ in range(3)]
    await asyncio.sleep(GRACE)
    (_, first) = opened[0]
    assert first is not None
    server.connections.busy(first)
    server.connections.waits(first)  # it had an answer just now
    await asyncio.sleep(GRACE)
    for _ in range(2):
        assert server.open()[1] is not None
    assert [transport.aborted for transport, _ in opened] == [False, True, True]


@pytest.mark.looptime
async def test_what_is_late_is_told_once_and_what_is_served_never_is() -> None:
    server = Server(request_timeout=10.0)
    (late, _), (served, of_served) = server.open(), server.open()
    assert of_served is not None
    server.connections.busy(of_served)
    watching = asyncio.create_task(server.connections.watch())
    await asyncio.sleep(10.0 - SWEEP_INTERVAL)
    assert late.told == []
    await asyncio.sleep(1000)
    assert (late.told, served.told) == ([ConnectionEnd.LATE], [])
    watching.cancel()


@pytest.mark.looptime
@pytest.mark.parametrize(("read", "kept"), [(0, False), (LEAST_READ - 1, False), (LEAST_READ, True)])
async def test_a_closing_connection_has_to_be_read(read: int, kept: bool) -> None:
    server = Server()
    transport, _ = server.open()
    transport.closing, transport.buffered = True, 10**9
    watching = asyncio.create_task(server.connections.watch())
    for _ in range(5):
        await asyncio.sleep(UNREAD_TIMEOUT - 2 * SWEEP_INTERVAL)
        transport.buffered -= read
    assert transport.aborted is not kept
    assert server.ends.heard == ([] if kept else [ConnectionEnd.UNREAD])
    watching.cancel()


@pytest.mark.looptime
async def test_an_address_has_a_limit_unless_it_is_a_trusted_proxy() -> None:
    server = Server(["192.0.2.0/24", "2001:db8::7"], total=5, per_address=1)
    for address, most in (("198.51.100.1", 1), ("192.0.2.9", 2), ("2001:db8::7", 2), ("2001:db9::7", 0)):
        opened = [server.open(address)[1] for _ in range(2)]
        assert sum(connection is not None for connection in opened) == most


def test_there_are_never_more_connections_than_files() -> None:
    limits = ConnectionLimits(total=10_000, per_address=6_000)
    assert limits.within(20_000) == limits
    assert limits.within(1024) == ConnectionLimits(total=512, per_address=512)
    assert limits.within(1).total == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "busy", "wait", "lose", "pass"]), st.integers(0, 20), st.integers(1, 3))
    )
)
def test_whatever_happens_the_limits_hold_and_nothing_is_left(steps: list[tuple[str, int, int]]) -> None:
    async def run() -> None:
        server = Server(total=5, per_address=3)
        taken: list[tuple[Transport, Connection]] = []
        offset = 0.0
        loop = asyncio.get_running_loop()
        real = loop.time
        loop.time = lambda: real() + offset  # type: ignore[method-assign] # a clock that a step may turn
        for step, number, address in steps:
            if step == "open":
                transport, connection = server.open(f"192.0.2.{address}")
                if connection is not None:
                    taken.append((transport, connection))
            elif step == "pass":
                offset += GRACE
            elif taken:
                transport, connection = taken[number % len(taken)]
                act = {
                    "busy": server.connections.busy,
                    "wait": server.connections.waits,
                    "lose": server.connections.lost,
                }
                act[step](connection)
            still = [c for t, c in taken if server.connections.of(c.transport) is c]
            assert len(server.connections) == len(still) <= 5
            assert all(sum(c.address == f"192.0.2.{a}" for c in still) <= 3 for a in range(1, 4))
            assert server.connections.waiting == sum(c.due != inf for c in still)
        for _, connection in taken:
            server.connections.lost(connection)
        assert (len(server.connections), server.connections.waiting) == (0, 0)
        assert not server.connections._addresses

    asyncio.run(run())
