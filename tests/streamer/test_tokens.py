"""``POST /v1/tokens`` on a real socket, with real keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.api_keys import ApiKeys
from auth.authenticator import TokenAuthenticator
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from captions.access import Right
from livecaptions.clock import SystemClock
from tests.streamer.system import Conversation, System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, _ = script_of(1, words=4)


class Client:
    """Asks one server for tokens, with one key."""

    def __init__(self, system: System, key: str) -> None:
        self.system = system
        self.key = key
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{system.port}")

    async def post(self, body: object, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.key}"}
        if isinstance(body, bytes):
            return await self.http.post("/v1/tokens", content=body, headers=headers)
        return await self.http.post("/v1/tokens", json=body, headers=headers)

    async def make(self, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        response = await self.post(body)
        assert response.status_code == 200, response.text
        made: dict[str, Any] = response.json()
        return made


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as client:
        yield client


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Client]:
    clock, file = SystemClock(), KeysFile(folder / "keys.json")
    rights = frozenset({Right.PUBLISH, Right.VIEW})
    _, secret = file.create(int(clock.wall()), rooms=("hall-*",), rights=rights, tenant="acme")
    keys = ApiKeys(file.path, clock)
    rooms = RoomTokens(lambda: keys.signing_secret, clock)
    authenticator = TokenAuthenticator(clock, keys=keys, rooms=rooms)
    async with running(SCRIPT, authenticator=authenticator, signer=rooms) as system:
        client = Client(system, secret)
        async with client.http:
            yield client


async def test_a_token_opens_what_was_asked_for_and_no_more(client: Client) -> None:
    before = SystemClock().wall()
    made = await client.make(rooms=["hall-1"], rights=["view"], expires_in=60)
    assert 59 <= made["expires_at"] - before <= 62
    async with client.system.viewer("hall-1", token=made["token"]) as socket:
        await Conversation(socket).of("live")
    for path in ("/v1/rooms/hall-1/publish", "/v1/rooms/hall-2/captions"):
        response = await client.http.get(
            path, headers={"Authorization": f"Bearer {made['token']}", "Connection": "Upgrade", "Upgrade": "websocket"}
        )
        assert response.status_code in {400, 403}


async def test_by_default_a_token_is_good_for_everything_its_key_is_for_an_hour(client: Client) -> None:
    before = SystemClock().wall()
    made = await client.make()
    assert 3599 <= made["expires_at"] - before <= 3602
    async with client.system.publisher("hall-7", token=made["token"]) as socket:
        await Conversation(socket).of("ready")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"rights": ["manage"]}, 403, "no right to manage"),
        ({"rooms": ["*"]}, 403, "not valid for room *"),
        ({"rooms": ["main"]}, 403, "not valid for room main"),
        ({"rooms": ["a/b"]}, 400, "rooms.0"),
        ({"rights": ["sing"]}, 400, "rights.0"),
        ({"expires_in": 0}, 400, "expires_in: has to be 1 or more"),
        ({"expires_in": 86_401}, 400, "expires_in: has to be 86400 or less"),
        ({"room": ["hall-1"]}, 400, "room: is unknown"),
        ([], 400, "object"),
        (b"{", 400, "is not JSON"),
        (b"", 400, "is not JSON"),
        (b"\xff", 400, "JSON"),
        (b"[" * 60_000, 400, "is not JSON"),
        (b" " * 70_000, 413, "larger than"),
    ],
)
async def test_what_cannot_be_had_is_refused(client: Client, body: object, status: int, message: str) -> None:
    response = await client.post(body)
    assert (response.status_code, message in response.json()["message"]) == (status, True), response.text


async def test_a_token_made_with_a_token_may_do_no_more_and_expires_no_later(client: Client) -> None:
    made = await client.make(rights=["view"], expires_in=60)
    again = (await client.post({"expires_in": 3600}, made["token"])).json()
    assert again["expires_at"] == made["expires_at"]
    assert (await client.post({"rights": ["publish"]}, again["token"])).status_code == 403
    assert (await client.post({}, "lck_nobody")).status_code == 401


async def test_tokens_are_not_kept_by_caches(client: Client) -> None:
    assert (await client.post({})).headers["cache-control"] == "no-store"


async def test_a_server_with_nothing_to_sign_with_says_so() -> None:
    async with running(SCRIPT) as system:
        client = Client(system, "x")
        async with client.http:
            response = await client.post({})
    assert (response.status_code, "keys_file or jwt_secret" in response.json()["message"]) == (404, True)
