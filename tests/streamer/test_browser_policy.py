"""The headers that browsers get, on every response."""

import pytest
from starlette.responses import PlainTextResponse

from tests.streamer.browsers import FOREIGN, OneToken, site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
PAGES = {
    "/": "'none'",
    "/r/hall": "'none'",
    "/r/hall?mode=transcript": "'none'",
    "/r/hall?mode=subtitles": "*",
    "/r/hall?token=good&mode=subtitles": "*",
    "/nowhere": "'none'",
    "/r/no%20name?mode=subtitles": "'none'",
    "/login": "'none'",
    "/login/callback?code=x&state=y": "'none'",
    "/v1/rooms/hall/transcript": "'none'",
}
OTHERS = (
    "/static/client.js", "/static/style.css", "/static/icon.svg", "/static/nothing", "/v1/rooms", "/openapi.json",
    "/login/session", "/v1/rooms/hall/publish", "/fails",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("closed", [False, True])
async def test_every_page_has_a_strict_policy(path: str, closed: bool) -> None:
    async with site(authenticator=OneToken() if closed else None) as server:
        answer = await server.ask(path, accept="text/html")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == POLICY + PAGES[path]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    microphone = "microphone=(self)" if path == "/" else "microphone=()"
    assert microphone in answer.headers["permissions-policy"]
    framed = PAGES[path] == "*"
    assert answer.headers["cross-origin-resource-policy"] == ("cross-origin" if framed else "same-origin")
    assert answer.headers["cache-control"] == ("no-store" if "token=" in path else "no-cache")


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
async def test_no_response_leaves_without(path: str, method: str) -> None:
    async with site() as server:

        @server.app.get("/fails")
        async def fails() -> None:
            raise RuntimeError

        answer = await server.ask(path, method, origin=FOREIGN, access_control_request_method="GET")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] in {"no-cache", "no-store"}
    if path == "/fails" and method == "GET":
        assert answer.status_code == 500


async def test_what_is_no_page_can_do_nothing() -> None:
    async with site() as server:
        for path in OTHERS:
            policy = (await server.ask(path)).headers["content-security-policy"]
            assert policy == "default-src 'none'; frame-ancestors 'none'"


async def test_shared_caches_keep_answers_to_sites_apart() -> None:
    async with site(allowed_origins=(FOREIGN,)) as server:
        for origin in ({}, {"origin": FOREIGN}, {"origin": "https://other.example"}):
            assert "Origin" in (await server.ask("/v1/rooms", **origin)).headers["vary"]


async def test_a_response_that_names_its_own_keeps_it() -> None:
    async with site() as server:

        @server.app.get("/own")
        async def own() -> PlainTextResponse:
            return PlainTextResponse("", headers={"Cache-Control": "max-age=5", "Referrer-Policy": "origin"})

        headers = (await server.ask("/own")).headers
        assert (headers["cache-control"], headers["referrer-policy"]) == ("max-age=5", "origin")
