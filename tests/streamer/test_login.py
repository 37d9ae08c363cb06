"""The routes of a login: cookies, where they lead, and what a session's cookie is good for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from auth.authenticator import TokenAuthenticator
from auth.room_tokens import RoomTokens
from captions.access import Principal, Right
from captions.errors import LoginFailed, LoginUnavailable
from captions.ports.login import LoginBegun
from streamer.web.login import LOGIN_COOKIE, SESSION_LIFETIME
from tests.streamer.audited import Recording
from tests.streamer.browsers import FOREIGN, OWN, Site, site
from tests.support import LoopClock

ADA = Principal(rooms=("hall",), rights=frozenset({Right.PUBLISH, Right.VIEW}), subject="oidc:ada")
SOCKETS = ("/v1/rooms/hall/captions", "/v1/rooms/hall/publish")


class Door:
    """A login provider that lets Ada in for the code ``good``."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False

    async def begin(self, redirect_uri: str) -> LoginBegun:
        if self.down:
            raise LoginUnavailable("the identity provider does not answer")
        self.asked.append(redirect_uri)
        return LoginBegun("https://id.example/authorize?state=s0", "remembered.text")

    async def finish(self, redirect_uri: str, remembered: str, answer: Mapping[str, str]) -> Principal:
        self.asked.append(redirect_uri)
        if (remembered, answer.get("code")) != ("remembered.text", "good"):
            raise LoginFailed("this answer belongs to another login; log in again")
        return ADA


@asynccontextmanager
async def with_login(door: Door | None = None, **settings: Any) -> AsyncIterator[Site]:  # noqa: ANN401 - the gateway's own
    clock = LoopClock()
    tokens = RoomTokens(lambda: "secret", clock)
    authenticator = TokenAuthenticator(clock, rooms=tokens)
    async with site(authenticator=authenticator, signer=tokens, login=door or Door(), **settings) as server:
        yield server


async def logged_in(server: Site) -> dict[str, str]:
    """The header with the cookies of a browser that Ada has logged in with."""
    await server.ask("/login")
    await server.ask("/login/callback?code=good&state=s0")
    (cookie,) = server.http.cookies.jar
    server.http.cookies.clear()
    return {"cookie": f"{cookie.name}={cookie.value}"}


async def test_who_logs_in_is_in_the_audit_log() -> None:
    audit = Recording()
    async with with_login(audit=audit) as server:
        await logged_in(server)
    (line,) = (line for line in audit.lines if line["action"] == "login.finished")
    assert (line["principal"], line["outcome"]) == (ADA, "ok")


@pytest.mark.parametrize(("query", "page"), [("", "/"), ("?room=hall", "/r/hall")])
async def test_a_login_returns_to_the_page_where_it_began(query: str, page: str) -> None:
    door = Door()
    async with with_login(door) as server:
        begun = await server.ask(f"/login{query}")
        assert (begun.status_code, begun.headers["location"]) == (303, "https://id.example/authorize?state=s0")
        finished = await server.ask("/login/callback?code=good&state=s0")
        assert (finished.status_code, finished.headers["location"]) == (303, OWN + page)
        assert LOGIN_COOKIE not in server.http.cookies
        assert (await server.ask("/login/session")).json() == {"available": True, "subject": "oidc:ada"}
        assert door.asked == [f"{OWN}/login/callback"] * 2


@pytest.mark.parametrize(
    ("settings", "path", "secure"),
    [({}, "/", False), ({"public_url": "https://talks.example/captions"}, "/captions/", True)],
)
async def test_cookies_are_closed_to_scripts_and_to_other_sites(
    settings: dict[str, Any], path: str, secure: bool
) -> None:
    door = Door()
    async with with_login(door, **settings) as server:
        begun = await server.ask("/login")
        value = begun.headers["set-cookie"].partition(";")[0].partition("=")[2].strip('"')
        finished = await server.ask("/login/callback?code=good&state=s0", cookie=f"{LOGIN_COOKIE}={value}")
        logged_out = await server.ask("/logout", "POST")
        cookies = [
            *begun.headers.get_list("set-cookie"),
            *finished.headers.get_list("set-cookie"),
            *logged_out.headers.get_list("set-cookie"),
        ]
        assert len(cookies) == 4
        for cookie in cookies:
            attributes = cookie.lower().split("; ")[1:]
            assert {"httponly", "samesite=lax", f"path={path}"} <= set(attributes)
            assert ("secure" in attributes) == secure
        assert f"Max-Age={SESSION_LIFETIME}" in cookies[2]
        assert "Max-Age=0" in cookies[3]
        for response in (begun, finished, logged_out):
            assert response.headers["cache-control"] == "no-store"
        if settings:
            assert door.asked[0] == "https://talks.example/captions/login/callback"
            assert finished.headers["location"] == "https://talks.example/captions/"


@pytest.mark.parametrize("room", ["//evil.example", "../../evil", "https://evil.example", "a b", "x" * 80])
async def test_a_login_leads_to_no_other_site(room: str) -> None:
    async with with_login() as server:
        assert (await server.ask(f"/login?room={room}")).status_code == 400
        cookie = f"{LOGIN_COOKIE}={room.replace(' ', '')}/:remembered.text"
        finished = await server.ask("/login/callback?code=good&state=s0", cookie=cookie)
        assert finished.status_code in {400, 403}
        assert "location" not in finished.headers


async def test_a_session_counts_in_our_own_pages_alone() -> None:
    async with with_login(allowed_origins=("https://listed.example",)) as server:
        cookie = await logged_in(server)
        for path in SOCKETS:
            room = path.replace("hall", "tower")
            assert (await server.socket(path, origin=OWN, **cookie))[0] == 101
            assert (await server.socket(room, origin=OWN, **cookie))[0] == 403, "not one of Ada's rooms"
            assert (await server.socket(path, **cookie))[0] == 401, "browsers name the page that opens a socket"
            for origin in (FOREIGN, "null", "https://listed.example", f"{OWN}:8080"):
                assert (await server.socket(path, origin=origin, **cookie))[0] == 401
        assert (await server.ask("/v1/rooms", **cookie)).status_code == 200
        assert (await server.ask("/v1/rooms", origin=OWN, **cookie)).status_code == 200
        for origin in (FOREIGN, "null", "https://listed.example"):
            assert (await server.ask("/v1/rooms", origin=origin, **cookie)).status_code == 401
        assert (await server.ask("/v1/tokens", "POST", **cookie)).status_code == 401
        assert (await server.ask("/v1/tokens", "POST", origin=FOREIGN, **cookie)).status_code == 401
        assert (await server.ask("/v1/tokens", "POST", origin=OWN, **cookie)).status_code not in {401, 404}


async def test_a_token_goes_before_the_session() -> None:
    async with with_login() as server:
        cookie = await logged_in(server)
        assert (await server.ask("/v1/rooms?token=bad", **cookie)).status_code == 401
        assert (await server.ask("/v1/rooms", authorization="Bearer bad", **cookie)).status_code == 401


async def test_another_site_cannot_log_anybody_out() -> None:
    async with with_login() as server:
        cookie = await logged_in(server)
        for origin in (FOREIGN, "null"):
            refused = await server.ask("/logout", "POST", origin=origin, **cookie)
            assert refused.status_code == 403
            assert "set-cookie" not in refused.headers
        assert (await server.ask("/logout", **cookie)).status_code == 405
        assert (await server.ask("/logout", "POST", origin=OWN, **cookie)).status_code == 204


async def test_a_session_ends() -> None:
    async with with_login() as server:
        tokens = server.gateway.signer
        assert tokens is not None
        over = {"cookie": f"livecaptions_session={tokens.sign(ADA, -1).token}"}
        assert (await server.ask("/v1/rooms", **over)).status_code == 401
        assert (await server.ask("/login/session", **over)).json() == {"available": True, "subject": None}


@pytest.mark.parametrize("query", ["", "?code=bad&state=s0", "?error=access_denied&state=s0", "?state=s0"])
@pytest.mark.parametrize("begun", [False, True])
async def test_a_login_that_fails_says_so_on_a_page(query: str, begun: bool) -> None:
    async with with_login() as server:
        if begun:
            await server.ask("/login")
        failed = await server.ask(f"/login/callback{query}", accept="text/html")
        assert failed.status_code == 403
        assert "You are not logged in" in failed.text
        assert "log in again" in failed.text.lower()
        assert "livecaptions_session" not in server.http.cookies


async def test_a_provider_that_is_down_is_explained_on_a_page() -> None:
    door = Door()
    door.down = True
    async with with_login(door) as server:
        failed = await server.ask("/login", accept="text/html")
        assert failed.status_code == 503
        assert "Nobody can log in now" in failed.text
        assert int(failed.headers["retry-after"]) > 0


async def test_without_a_provider_nobody_can_log_in() -> None:
    async with site() as server:
        assert (await server.ask("/login/session")).json() == {"available": False, "subject": None}
        for path in ("/login", "/login/callback"):
            missing = await server.ask(path)
            assert missing.status_code == 404
            assert "oidc_issuer" in missing.json()["message"]


async def test_a_host_that_is_no_address_is_refused() -> None:
    async with with_login() as server:
        assert (await server.ask("/login", host="[")).status_code == 400
