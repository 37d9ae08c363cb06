"""Every route says in /openapi.json which parameters it takes and which refusals it may give."""

import json
from typing import Any

import httpx
import pytest

from captions.access import Principal
from captions.errors import REFUSALS
from captions.limits import Allowance
from streamer.web.app import create_app
from streamer.web.query import TranscriptQuery, ViewQuery
from tests.fuzz.served import TOKEN, WEAK_TOKEN, served
from tests.streamer.gateways import gateway_on
from tests.streamer.system import System
from tests.support import memory_log

BY_CODE = {refusal.code: refusal for refusal in REFUSALS}
PATHS: dict[str, dict[str, Any]] = create_app(gateway_on(memory_log())).openapi()["paths"]
OPERATIONS = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]


def operation(method: str, path: str) -> dict[str, Any]:
    described: dict[str, Any] = PATHS[path][method.lower()]
    return described


def codes(method: str, path: str) -> set[str]:
    """The codes of the refusals that a route declares, each with the status of its class."""
    declared = set()
    for status, response in operation(method, path)["responses"].items():
        if int(status) >= 400:
            listed = response["content"]["application/json"]["schema"]["properties"]["code"]["enum"]
            assert {str(BY_CODE[code].http_status) for code in listed} == {status}
            declared |= set(listed)
    return declared


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_route_declares_its_refusals_and_asks_for_a_token(method: str, path: str) -> None:
    least = {"unauthorized", "too_many", "internal"} | (
        {"bad_request", "forbidden", "not_found"} if "{room}" in path else set()
    )
    assert codes(method, path) >= least
    assert "422" not in operation(method, path)["responses"]
    assert operation(method, path)["security"] == [{"bearer": []}, {"token": []}]


@pytest.mark.parametrize(
    ("path", "model"), [("/v1/rooms/{room}/captions", ViewQuery), ("/v1/rooms/{room}/transcript", TranscriptQuery)]
)
def test_a_query_is_described_as_it_is_parsed(path: str, model: type[ViewQuery | TranscriptQuery]) -> None:
    parameters = {each["name"]: each for each in operation("GET", path)["parameters"]}
    assert set(parameters) - {"room", "tenant", "Last-Event-ID"} == set(model.model_fields)
    assert not [each for each in parameters.values() if "null" in str(each["schema"])]
    assert all(each["required"] == (name == "room") for name, each in parameters.items() if "required" in each)


class Broken:
    """An authenticator that fails."""

    async def authenticate(self, token: str | None) -> Principal:
        raise RuntimeError(token)

    def revoked(self, credential: str) -> bool:
        raise RuntimeError(credential)


def body_for(path: str, code: str) -> object:
    """A body that gets the refusal ``code``, or at least does not get another."""
    if path == "/v1/tokens":
        bodies = {"forbidden": {"rights": ["operate"]}, "bad_request": {"rights": 5}, "too_large": "x" * 70_000}
        return bodies.get(code, {})
    large = {"too_large": "x" * 300_000}
    return {"text": 5 if code == "bad_request" else large.get(code, "words"), "terms": [large.get(code, "a")]}


async def provoked(system: System, method: str, path: str, code: str) -> httpx.Response:
    """The answer of a route to a request that has to get the refusal ``code``."""
    room = {"bad_request": "%20", "not_found": "a%2Fb"}.get(code, "hall")
    if code == "internal":
        system.gateway.authenticator = Broken()
    if code == "shutting_down":
        system.gateway.sessions.draining = True
    if code == "not_found":
        system.gateway.signer = None
    query = {"tenant": "%"} if code == "bad_request" else {}
    headers = {"If-Match": '"of another version"'} if code == "changed" else {}
    token = {"unauthorized": "unknown", "forbidden": WEAK_TOKEN}.get(code, TOKEN)
    headers["Authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(base_url=system.http, headers=headers, params=query) as http:
        body = body_for(path, code) if method in {"POST", "PUT"} else None
        return await http.request(method, path.replace("{room}", room), json=body)


DECLARED = sorted((code, method, path) for method, path in OPERATIONS for code in codes(method, path))


@pytest.mark.server
@pytest.mark.parametrize(("code", "method", "path"), DECLARED)
async def test_a_declared_refusal_is_given_as_it_is_declared(code: str, method: str, path: str) -> None:
    few = {"address_limits": Allowance(connections=0.1)} if code == "too_many" else {}
    async with served(**few) as system:
        for _ in range(5 if few else 1):
            response = await provoked(system, method, path, code)
    declared = operation(method, path)["responses"][str(response.status_code)]
    refusal = json.loads(response.content)
    assert refusal["code"] == code
    assert response.headers["content-type"] in declared["content"]
    assert {name for name in ("Retry-After", "WWW-Authenticate") if name in response.headers} <= set(
        declared["headers"]
    )
    assert ("Retry-After" in response.headers) == (BY_CODE[code].default_retry_after is not None)
