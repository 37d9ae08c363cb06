"""The process of one attack: ``python -m bench.attacks.attacker NAME PORT ROOM SECONDS`` prints what came of it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable

import uvloop

from bench.attacks import on_http, on_sockets
from bench.attacks.raw import Crowd

Attack = Callable[[Crowd], Awaitable[None]]

ATTACKS: dict[str, Attack] = {
    "slow head": on_http.slow_head,
    "slow handshake": on_http.slow_handshake,
    "silent": on_http.silent,
    "idle": on_http.idle,
    "half closed": on_http.half_closed,
    "endless head": on_http.endless_head,
    "many headers": on_http.many_headers,
    "endless body": on_http.endless_body,
    "pipelined": on_http.pipelined,
    "names": on_http.names,
    "pings": on_sockets.pings,
    "fragments": on_sockets.fragments,
    "slow fragments": on_sockets.slow_fragments,
    "lies": on_sockets.lies,
    "deflated": on_sockets.deflated,
    "nested": on_sockets.nested,
    "chatter": on_sockets.chatter,
    "mute": on_sockets.mute,
    "slow readers": on_sockets.slow_readers,
}
"""The attacks by name. Each runs until it is cancelled; its docstring is its description in the table."""


async def run(attack: Attack, port: int, room: str, seconds: float) -> Crowd:
    """Attack for ``seconds``."""
    crowd = Crowd(port, room)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await attack(crowd)
    return crowd


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        crowd = runner.run(run(ATTACKS[sys.argv[1]], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
    print(json.dumps({"opened": crowd.opened, "refused": crowd.refused, "ends": crowd.ends}))
