"""The WebSockets of our HTTP server, with an echo in place of the gateway, in all cases of the Autobahn test suite."""

from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from livecaptions.server import listen, serving
from livecaptions.server.websocket_protocol import LARGEST_MESSAGE_BYTES
from tests.autobahn.suite import install, python2, results

pytestmark = pytest.mark.server

CASES = 517
TOO_LARGE = {
    *("9.1.4", "9.1.5", "9.1.6", "9.2.4", "9.2.5", "9.2.6"),
    *(f"9.{section}.{case}" for section in (3, 4) for case in range(1, 10)),
}
"""Messages of more than 1 MiB, some in more than 128 fragments: they are refused with 1009, or 1008."""
OTHERWISE = {"7.1.5": 1002}
"""A close between two fragments: the library takes it for a protocol error. The client has left either way."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send every message back."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def test_all_cases_end_as_the_suite_allows(tmp_path: Path) -> None:
    python = python2()
    if python is None:
        pytest.skip("no Python 2.7 with pip, which the Autobahn test suite needs")
    install(python)
    sock = listen("127.0.0.1", 0)
    async with serving(echo, sock):
        found = await results(python, f"ws://127.0.0.1:{sock.getsockname()[1]}", tmp_path)
    assert len(found) == CASES
    assert LARGEST_MESSAGE_BYTES == 1024 * 1024, "TOO_LARGE lists the cases with more"
    for number, result in found.items():
        case = f"{number}: {result}"
        if number in TOO_LARGE:
            assert result["remoteCloseCode"] in {1008, 1009}, case
        elif number in OTHERWISE:
            assert result["remoteCloseCode"] == OTHERWISE[number], case
        elif number.startswith(("12.", "13.")):
            assert (result["behavior"], result["behaviorClose"]) == ("UNIMPLEMENTED", "OK"), case  # no compression
        else:
            assert result["behavior"] in {"OK", "NON-STRICT", "INFORMATIONAL"}, case
            assert result["behaviorClose"] in {"OK", "INFORMATIONAL"}, case
