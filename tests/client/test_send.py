"""``livecaptions send`` passes its options to the server."""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client.scripted import Peer, playing

pytestmark = pytest.mark.server


async def test_the_silence_that_ends_an_utterance_can_be_chosen() -> None:
    async def takes(peer: Peer) -> None:
        await peer.ready()
        await peer.expect_end()
        await peer.done()

    async with playing([takes]) as (url, peers), asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "livecaptions.cli", "send", "-", "--room", "hall", "--url", url),
            *("--endpointing", "0.8"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await process.communicate(b"aabb")
    assert process.returncode == 0
    (peer,) = peers
    assert bytes(peer.audio) == b"aabb"
    assert parse_qs(urlsplit(peer.target).query)["endpointing"] == ["0.8"]
