"""Every route and socket of a server, tried by every kind of principal.

The table is also in docs/access.md. A route that is not in it fails a test.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from auth.api_keys import ApiKeys
from auth.authenticator import TokenAuthenticator
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from captions.access import Right
from captions.audio import to_bytes
from livecaptions.clock import SystemClock
from monitoring.endpoints import health, metrics_endpoint
from streamer.web.credentials import check_operator
from tests.streamer.speaking import send
from tests.streamer.system import Conversation, System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(1, words=4)
ROOT = Path(__file__).resolve().parents[2]
SOCKET = "WS"


@dataclass(frozen=True)
class Row:
    """What a route asks for: nothing, any valid token (``any``), or a right.

    ``in_room``: in the room of its path. ``in_all_rooms``: in all rooms of the tenant. ``of_server``: from somebody
    without a tenant.
    """

    needs: Right | str | None
    in_room: bool = False
    in_all_rooms: bool = False
    of_server: bool = False


PUBLIC = Row(None)
TABLE: dict[tuple[str, str], Row] = {
    (SOCKET, "/v1/rooms/{room}/publish"): Row(Right.PUBLISH, in_room=True),
    (SOCKET, "/v1/rooms/{room}/captions"): Row(Right.VIEW, in_room=True),
    (SOCKET, "/{path:path}"): PUBLIC,
    ("GET", "/v1/rooms"): Row("any"),
    ("DELETE", "/v1/rooms/{room}"): Row(Right.MANAGE, in_room=True),
    ("GET", "/v1/rooms/{room}/captions"): Row(Right.VIEW, in_room=True),
    ("GET", "/v1/rooms/{room}/publish"): Row(Right.PUBLISH, in_room=True),
    ("GET", "/v1/rooms/{room}/transcript"): Row(Right.VIEW, in_room=True),
    ("GET", "/v1/rooms/{room}/glossary"): Row(Right.MANAGE, in_room=True),
    ("PUT", "/v1/rooms/{room}/glossary"): Row(Right.MANAGE, in_room=True),
    ("DELETE", "/v1/rooms/{room}/glossary"): Row(Right.MANAGE, in_room=True),
    ("GET", "/v1/glossary"): Row(Right.MANAGE, in_all_rooms=True),
    ("PUT", "/v1/glossary"): Row(Right.MANAGE, in_all_rooms=True),
    ("DELETE", "/v1/glossary"): Row(Right.MANAGE, in_all_rooms=True),
    ("POST", "/v1/glossary/proposal"): Row("any"),
    ("POST", "/v1/tokens"): Row("any"),
    ("GET", "/metrics"): Row(Right.OPERATE, of_server=True),
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/static"): PUBLIC,
    ("GET", "/"): PUBLIC,
    ("GET", "/r/{room}"): PUBLIC,
    ("GET", "/login"): PUBLIC,
    ("GET", "/login/callback"): PUBLIC,
    ("GET", "/login/session"): PUBLIC,
    ("POST", "/logout"): PUBLIC,
}

PRINCIPALS: dict[str, tuple[str | None, tuple[str, ...], tuple[Right, ...]]] = {
    # name: tenant, rooms, rights
    **{f"{right} in hall": ("acme", ("hall",), (right,)) for right in Right},
    "all rights in hall": ("acme", ("hall",), (Right.PUBLISH, Right.VIEW, Right.EDIT, Right.MANAGE)),
    "all rights in other rooms": ("acme", ("side-*",), (Right.PUBLISH, Right.VIEW, Right.EDIT, Right.MANAGE)),
    "all rights of another tenant": ("umbrella", ("*",), tuple(Right)),
    "operator of the server": (None, (), tuple(Right)),
}


def expected(row: Row, principal: str | None) -> bool:
    """Whether the row lets the principal in; None is one without a token, or with an unknown one."""
    if row.needs is None:
        return True
    if principal is None:
        return False
    tenant, rooms, rights = PRINCIPALS[principal]
    if row.needs == "any":
        return True
    if row.needs not in rights or (row.of_server and tenant is not None):
        return False
    if row.in_all_rooms:
        return "*" in rooms or Right.OPERATE in rights
    # another tenant's hall is another room: nobody is kept from their own
    return not row.in_room or tenant == "umbrella" or "hall" in rooms or Right.OPERATE in rights


def routes(found: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the router knows."""
    for route in found:
        if isinstance(route, WebSocketRoute):
            yield SOCKET, route.path
        elif isinstance(route, Mount):
            yield "GET", route.path
        elif isinstance(route, APIRoute | Route):
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, route.path
        else:
            nested = getattr(getattr(route, "original_router", None), "routes", None)
            assert nested is not None, f"{route!r}: of what kind is it?"
            yield from routes(nested)


@dataclass
class Rig:
    system: System
    keys: dict[str | None, str | None]

    def path(self, template: str) -> str:
        path = template.replace("{room}", "hall").replace("{path:path}", "nothing")
        return "/static/style.css" if path == "/static" else path

    async def status(self, method: str, template: str, principal: str | None) -> int:
        """What the server answers to the principal; 101 for a socket that opens."""
        token = self.keys[principal]
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        address = f"127.0.0.1:{self.system.port}{self.path(template)}"
        if method == SOCKET:
            try:
                async with connect(f"ws://{address}", additional_headers=headers, close_timeout=1):
                    return 101
            except InvalidStatus as refused:
                return refused.response.status_code
        async with httpx.AsyncClient() as http:
            body: dict[str, str] | None = {} if method == "POST" else None
            async with http.stream(method, f"http://{address}", headers=headers, json=body) as response:
                return response.status_code


def add_operators_routes(app: FastAPI, system: System) -> None:
    async def admit(request: Request) -> None:
        await check_operator(request, system.gateway)

    app.include_router(health(list))
    app.include_router(metrics_endpoint(lambda: (b"", "text/plain"), admit))


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Rig]:
    clock, file = SystemClock(), KeysFile(folder / "keys.json")
    keys: dict[str | None, str | None] = {None: None}
    for name, (tenant, rooms, rights) in PRINCIPALS.items():
        _, keys[name] = file.create(int(clock.wall()), rooms=rooms, rights=frozenset(rights), tenant=tenant)
    api_keys = ApiKeys(file.path, clock)
    rooms_tokens = RoomTokens(lambda: api_keys.signing_secret, clock)
    authenticator = TokenAuthenticator(clock, keys=api_keys, rooms=rooms_tokens)
    async with running(SCRIPT, authenticator=authenticator, signer=rooms_tokens) as system:
        add_operators_routes(system.app, system)
        yield Rig(system, keys)


async def test_every_route_is_in_the_table() -> None:
    async with running(SCRIPT) as system:
        add_operators_routes(system.app, system)
        assert set(routes(system.app.routes)) == set(TABLE)


@pytest.mark.parametrize(("method", "template"), TABLE, ids=lambda value: value)
async def test_each_principal_is_let_in_where_the_table_says(method: str, template: str, tmp_path: Path) -> None:
    row = TABLE[method, template]
    async with served(tmp_path) as rig:
        for principal in (None, *PRINCIPALS):
            status = await rig.status(method, template, principal)
            wanted = expected(row, principal)
            refused = 401 if principal is None else 403
            assert (status not in {401, 403}) if wanted else (status == refused), (principal, status)
            assert status < 500


async def test_an_unknown_token_is_no_better_than_none(tmp_path: Path) -> None:
    async with served(tmp_path) as rig:
        rig.keys["unknown"] = "lck_00000000_made-up"
        for (method, template), row in TABLE.items():
            if row.needs is not None:
                assert await rig.status(method, template, "unknown") == 401, (method, template)


def test_the_documentation_has_the_table() -> None:
    page = (ROOT / "docs/access.md").read_text(encoding="utf-8")
    needs = {None: "no token", "any": "any token"}
    for (method, template), row in TABLE.items():
        room = " in the room" if row.in_room else " in all rooms" if row.in_all_rooms else ""
        room += ", without a tenant" if row.of_server else ""
        path = template.replace("{path:path}", "...")
        assert f"| {method} `{path}` | {needs.get(row.needs, f'`{row.needs}`')}{room} |" in page, (method, template)


async def test_two_tenants_rooms_of_one_name_share_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as rig:
        acme, umbrella = (rig.keys[name] for name in ("all rights in hall", "all rights of another tenant"))
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.system.port}")
        async with (
            http,
            rig.system.viewer(token=umbrella) as other,
            rig.system.publisher(token=acme) as speaking,
            rig.system.publisher(token=umbrella) as silent,
        ):
            seen, talk = Conversation(other), Conversation(speaking)
            await talk.of("ready")
            await Conversation(silent).of("ready")  # the same room and track, and nobody is busy
            await send(talk, to_bytes(PCM))
            await speaking.send('{"type":"end"}')
            _, heard = await talk.rest()
            assert [message["text"] for message in heard if message["type"] == "caption" and message["final"]]

            async def get(path: str, token: str | None) -> httpx.Response:
                return await http.get(path, headers={"Authorization": f"Bearer {token}"})

            assert (await get("/v1/rooms/hall/transcript?format=txt", acme)).text.strip()
            assert not (await get("/v1/rooms/hall/transcript?format=txt", umbrella)).text.strip()
            (room,) = (await get("/v1/rooms", umbrella)).json()
            assert (room["room"], room["tenant"]) == ("hall", "umbrella")
            await silent.send('{"type":"end"}')
            async with asyncio.timeout(30):
                await seen.next(lambda message: message["type"] == "track" and message["state"] == "ended")
            assert not [message for message in seen.heard if message["type"] == "caption"]


async def test_an_operator_of_the_server_reads_a_tenants_room_by_naming_the_tenant(tmp_path: Path) -> None:
    async with served(tmp_path) as rig:
        file = KeysFile(tmp_path / "keys.json")
        _, operator = file.create(1, rooms=(), rights=frozenset({Right.VIEW, Right.OPERATE}))
        await asyncio.sleep(1.1)  # gateways look for changes of the file once a second
        async with rig.system.publisher(token=rig.keys["all rights in hall"]) as speaking:
            await Conversation(speaking).of("ready")
            async with rig.system.viewer(token=operator, tenant="acme") as viewing:
                seen = Conversation(viewing)
                await seen.of("live")
                assert [message["track"] for message in seen.heard if message["type"] == "track"] == ["main"]
            async with rig.system.viewer(token=operator) as viewing:
                seen = Conversation(viewing)
                await seen.of("live")
                assert [message for message in seen.heard if message["type"] == "track"] == []


async def test_no_tenant_sees_or_changes_the_terms_of_another(tmp_path: Path) -> None:
    async with served(tmp_path) as rig:
        file = KeysFile(tmp_path / "keys.json")
        _, rig.keys["acme"] = file.create(1, rooms=("*",), rights=frozenset({Right.MANAGE}), tenant="acme")
        await asyncio.sleep(1.1)  # gateways look for changes of the file once a second
        base = f"http://127.0.0.1:{rig.system.port}/v1"
        paths = ("/rooms/hall/glossary", "/glossary")
        async with httpx.AsyncClient(base_url=base) as http:

            async def ask(method: str, path: str, principal: str, **json: object) -> httpx.Response:
                headers = {"Authorization": f"Bearer {rig.keys[principal]}"}
                return await http.request(method, path, headers=headers, json=json or None)

            umbrella, operator = "all rights of another tenant", "operator of the server"
            for path in paths:
                assert (await ask("PUT", path, "acme", terms=["acme's secret"])).status_code == 200
                assert (await ask("GET", path, umbrella)).json()["terms"] == []
                assert (await ask("GET", path, operator)).json()["terms"] == []
                assert (await ask("GET", f"{path}?tenant=acme", operator)).json()["terms"] == ["acme's secret"]
                for method in ("GET", "PUT", "DELETE"):
                    assert (await ask(method, f"{path}?tenant=acme", umbrella, terms=[])).status_code == 403
                assert (await ask("DELETE", path, umbrella)).status_code == 204
                assert (await ask("GET", path, "acme")).json()["terms"] == ["acme's secret"]
