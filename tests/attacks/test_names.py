"""Names in every encoding, in paths and queries: refused or taken, never a failure, never a line of the log."""

import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from bench.attacks.on_http import BAD_NAMES, UPGRADE, requests_of
from monitoring.logs import configure_logs
from tests.attacks.attacked import Attacked, attacked, ended

pytestmark = pytest.mark.server

LINE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
"""How every line of the log begins."""


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


async def answer_to(system: Attacked, request: bytes) -> bytes:
    raw = await system.raw(request)
    await raw.answered.wait()
    if b" 101 " not in raw.first[:20]:
        await ended(raw)
    raw.transport.abort()
    return raw.first


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_in_any_encoding_is_refused_or_taken(name: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "debug")
    async with attacked() as system:
        for request in requests_of(name):
            status = int((await answer_to(system, request))[9:12])
            assert status == 101 or 200 <= status < 500, request
        await system.honest()
        assert not system.gateway.sessions.held
    lines = capsys.readouterr().err.splitlines()
    strange = [line for line in lines if not LINE.match(line) or not line.isprintable()]
    assert not strange


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_room_of_that_name_does_not_exist(name: bytes) -> None:
    async with attacked() as system:
        for upgrade in (b"", UPGRADE):
            for what in (b"captions", b"publish"):
                request = b"GET /v1/rooms/%s/%s HTTP/1.1\r\nConnection: close\r\n%s\r\n" % (name, what, upgrade)
                assert int((await answer_to(system, request))[9:12]) in {400, 404}
        assert not list(system.gateway.hub.rooms)
