"""Which sites' pages may use a server: by origin, by token, by setting, and by the server's own name."""

from typing import Any

import pytest

from tests.streamer.browsers import FOREIGN, OneToken, site

SOCKETS = ("/v1/rooms/hall/captions", "/v1/rooms/hall/publish")
READS = ("/v1/rooms", "/v1/rooms/hall/transcript")


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("token", ["", "?token=good", "?token=made-up"])
@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", "file://", "https://captions.example.evil.example", "", "http://["]
)
async def test_an_open_server_refuses_sockets_of_other_sites(path: str, token: str, origin: str) -> None:
    """A token opens nothing that is closed there."""
    async with site() as server:
        status, refusal = await server.socket(path + token, origin=origin)
        assert (status, refusal["code"]) == (403, "forbidden")
        assert "allowed_origins" in refusal["message"]
        assert "access-control-allow-origin" not in (await server.ask(READS[0] + token, origin=origin)).headers


@pytest.mark.parametrize("path", [*SOCKETS])
@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "captions.example"),  # no browser
        ("http://captions.example", "captions.example"),
        ("https://captions.example", "captions.example"),  # a proxy terminates TLS
        ("https://captions.example", "captions.example:443"),
        ("https://CAPTIONS.example:443", "captions.EXAMPLE"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
async def test_own_pages_and_programs_may_use_it(path: str, origin: str | None, host: str) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    async with site() as server:
        assert (await server.socket(path, **headers))[0] == 101
        assert (await server.ask("/v1/rooms", **headers)).status_code == 200


async def test_another_port_is_another_site() -> None:
    async with site() as server:
        for origin, host in (
            ("http://127.0.0.1:9000", "127.0.0.1:8080"),
            ("http://captions.example:8080", "captions.example"),
            ("http://captions.example", "captions.example:8080"),
        ):
            assert (await server.socket(SOCKETS[0], origin=origin, host=host))[0] == 403


@pytest.mark.parametrize("allowed", [FOREIGN, "*"])
async def test_listed_sites_may_use_an_open_server(allowed: str) -> None:
    async with site(allowed_origins=(allowed, "https://other.example")) as server:
        for path in SOCKETS:
            assert (await server.socket(path, origin=FOREIGN))[0] == 101
        answer = await server.ask("/v1/rooms", origin=FOREIGN)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == allowed
        assert "access-control-allow-credentials" not in answer.headers
        if allowed != "*":
            assert (await server.socket(SOCKETS[0], origin="https://third.example"))[0] == 403


async def test_a_token_lets_the_pages_of_any_site_in() -> None:
    async with site(authenticator=OneToken()) as server:
        for path in SOCKETS:
            assert (await server.socket(f"{path}?token=good", origin=FOREIGN))[0] == 101
            assert (await server.socket(path.replace("hall", "tower"), origin=FOREIGN, authorization="Bearer good"))[
                0
            ] == 101
            assert (await server.socket(path, origin=FOREIGN))[0] == 401
            assert (await server.socket(f"{path}?token=bad", origin=FOREIGN))[0] == 401
        answer = await server.ask("/v1/rooms", origin=FOREIGN, authorization="Bearer good")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        wrong = await server.ask("/v1/rooms?token=bad", origin=FOREIGN)
        assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (401, "*"), "the page can say why"
        assert "access-control-allow-origin" not in (await server.ask("/v1/rooms", origin=FOREIGN)).headers


@pytest.mark.parametrize("path", [*READS, *SOCKETS])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_preflight_requests_are_answered_by_the_same_rule(path: str, method: str) -> None:
    asked = {
        "origin": FOREIGN,
        "access_control_request_method": method,
        "access_control_request_headers": "authorization,last-event-id",
    }
    async with site(authenticator=OneToken()) as server:
        answer = await server.ask(path, "OPTIONS", **asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert method in answer.headers["access-control-allow-methods"]
        assert {"authorization", "last-event-id"} <= set(
            answer.headers["access-control-allow-headers"].lower().split(", ")
        )
        assert "Origin" in answer.headers["vary"]
        assert (await server.ask(path, "OPTIONS", **asked | {"access_control_request_method": "PATCH"})).is_client_error
    async with site() as server:
        refused = await server.ask(path, "OPTIONS", **asked)
        assert refused.is_client_error
        assert "access-control-allow-origin" not in refused.headers
    async with site(allowed_origins=(FOREIGN,)) as server:
        assert (await server.ask(path, "OPTIONS", **asked)).headers["access-control-allow-origin"] == FOREIGN


async def test_every_site_may_import_the_client_and_none_may_read_the_rest() -> None:
    async with site(authenticator=OneToken()) as server:
        module = await server.ask("/static/client.js", origin=FOREIGN)
        assert module.headers["access-control-allow-origin"] == "*"
        assert module.headers["cross-origin-resource-policy"] == "cross-origin"
        for path in ("/", "/r/hall", "/openapi.json", "/login/session", "/nowhere"):
            answer = await server.ask(f"{path}?token=good", origin=FOREIGN)
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8080", True),
        ("127.0.0.1:8080", True),
        ("127.1.2.3", True),
        ("[::1]:8080", True),
        ("hall.localhost", True),
        ("captions.example", True),  # listed
        ("talks.example", True),  # the public address
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("192.168.1.5", False),
        ("localhost.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
async def test_a_server_of_this_machine_alone_knows_its_names(host: str, known: bool) -> None:
    """A page of evil.example that has its name resolve to 127.0.0.1 is of one origin with the server."""
    settings: dict[str, Any] = {
        "allowed_origins": ("http://captions.example",),
        "public_url": "https://talks.example/captions/",
    }
    async with site(local_only=True, **settings) as server:
        for path in ("/", "/v1/rooms", "/static/client.js", "/nowhere"):
            answer = await server.ask(path, host=host)
            assert (answer.status_code != 403) == known
            assert known or "allowed_origins" in answer.json()["message"]
        for path in SOCKETS:
            status, refusal = await server.socket(path, host=host, origin=f"http://{host}")
            assert known == (status == 101), refusal


async def test_the_public_address_is_its_own_whatever_the_proxy_sends() -> None:
    async with site(public_url="https://talks.example/captions/") as server:
        headers = {"origin": "https://talks.example", "host": "127.0.0.1:8080"}
        assert (await server.socket(SOCKETS[0], **headers))[0] == 101
        assert (await server.socket(SOCKETS[0], **headers | {"origin": "https://talks.example:8443"}))[0] == 403
