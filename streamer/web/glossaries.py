"""Glossaries over HTTP: those of rooms, and that of all rooms of a tenant; and proposals of terms from a text."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from captions.access import Principal, Right
from captions.errors import BadRequest, Changed, Forbidden, Refusal, TooLarge
from captions.language import LANGUAGE_PATTERN
from captions.ports.glossaries import Kept
from captions.session import fitting
from captions.stored_glossary import Owner
from captions.term_lines import LineError, read_terms, write_terms
from captions.terms import MOST_TERMS, Term
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.web.body import json_body, text_body
from streamer.web.credentials import admitted, admitted_everywhere, audit, principal_of
from streamer.web.openapi import IN_A_ROOM, TENANT, WITH_TOKEN, Responses, RoomName, body, refusals

LARGEST_GLOSSARY = 256 * 1024
"""Bytes of a request with terms, or with a text to find them in."""
LONGEST_TEXT = 100_000
"""Characters of a text to find terms in: the programme of some days."""
TEXT = "text/plain"

Format = Literal["json", "txt"]

_TERM = Term.model_json_schema()
_ANY_TERM: dict[str, Any] = {"anyOf": [_TERM["properties"]["text"], _TERM]}


class TermsBody(BaseModel):
    """The terms of a glossary. Each is a text, or an object that also says how it sounds and what it weighs."""

    model_config = ConfigDict(extra="ignore")

    terms: tuple[Annotated[Term, WithJsonSchema(_ANY_TERM)], ...] = Field(max_length=MOST_TERMS)


class GlossaryAnswer(TermsBody):
    """A glossary. ``left_out`` are terms that do not fit into a stream with it, because they take too many bytes.

    ``sources`` says of terms that no editor gave where they come from.
    """

    left_out: list[str]
    sources: dict[str, str]


class TextBody(BaseModel):
    """A programme, or any other text, and its language (BCP 47; English by default)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=LONGEST_TEXT)
    language: str | None = Field(None, pattern=LANGUAGE_PATTERN)


class Proposal(BaseModel):
    """Terms found in a text, in order of appearance."""

    terms: list[str]


_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The version of the glossary, for `If-Match`."}}
_LINES = {
    "type": "string",
    "description": "A term a line: `term | sounds like, sounds like | weight`. Blank lines and `#` lines are ignored.",
}
_GLOSSARY: Responses = {
    200: {
        "model": GlossaryAnswer,
        "description": "The glossary.",
        "headers": _ETAG,
        "content": {TEXT: {"schema": _LINES}},
    }
}
_DELETED: Responses = {204: {"description": "The glossary is empty now.", "headers": _ETAG}}
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "`txt` is a term a line.",
    "schema": {"enum": list(get_args(Format)), "default": "json"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of what you changed: refused with `changed` if somebody else was faster. `*` is any.",
    "schema": {"type": "string"},
}
_BODY = body(TermsBody)["requestBody"]
_BODY["content"][TEXT] = {"schema": _LINES}
_WRITING = (BadRequest, Forbidden, Changed)
_READ = {"parameters": [_FORMAT, TENANT]}
_WRITE = {"parameters": [_IF_MATCH, TENANT], "requestBody": _BODY}
_REMOVE = {"parameters": [_IF_MATCH, TENANT]}


def glossary_routes(gateway: Gateway) -> APIRouter:
    """The routes of glossaries."""
    router = APIRouter()
    _of_rooms(router, gateway)
    _of_tenants(router, gateway)

    @router.post(
        "/v1/glossary/proposal",
        summary="Terms found in a text",
        responses=refusals(BadRequest, TooLarge, *WITH_TOKEN),
        openapi_extra=body(TextBody),
    )
    async def propose(request: Request) -> Proposal:
        await principal_of(request, gateway)
        given = await json_body(request, TextBody, LARGEST_GLOSSARY)
        return Proposal(terms=list(await gateway.proposals.of(given.text, given.language)))

    return router


def _of_rooms(router: APIRouter, gateway: Gateway) -> None:
    path = "/v1/rooms/{room}/glossary"

    async def asked(request: Request, room_name: str) -> "_Asked":
        principal, room = await admitted(request, gateway, Right.MANAGE, room_name)
        return _Asked(request, gateway, principal, Owner.of_room(room), room)

    @router.get(
        path,
        summary="A room's glossary",
        response_class=Response,
        responses=_GLOSSARY | refusals(*IN_A_ROOM),
        openapi_extra=_READ,
    )
    async def get(request: Request, room: RoomName) -> Response:
        return (await asked(request, room)).read()

    @router.put(
        path,
        summary="Replace a room's glossary",
        response_class=Response,
        responses=_GLOSSARY | refusals(TooLarge, *_WRITING, *IN_A_ROOM),
        openapi_extra=_WRITE,
    )
    async def put(request: Request, room: RoomName) -> Response:
        return await (await asked(request, room)).write()

    @router.delete(
        path,
        summary="Delete a room's glossary",
        status_code=204,
        response_class=Response,
        responses=_DELETED | refusals(*_WRITING, *IN_A_ROOM),
        openapi_extra=_REMOVE,
    )
    async def delete(request: Request, room: RoomName) -> Response:
        return await (await asked(request, room)).delete()


def _of_tenants(router: APIRouter, gateway: Gateway) -> None:
    path = "/v1/glossary"

    async def asked(request: Request) -> "_Asked":
        principal, tenant = await admitted_everywhere(request, gateway, Right.MANAGE)
        return _Asked(request, gateway, principal, Owner(tenant), None)

    @router.get(
        path,
        summary="The glossary of all rooms",
        response_class=Response,
        responses=_GLOSSARY | refusals(BadRequest, Forbidden, *WITH_TOKEN),
        openapi_extra=_READ,
    )
    async def get(request: Request) -> Response:
        return (await asked(request)).read()

    @router.put(
        path,
        summary="Replace the glossary of all rooms",
        response_class=Response,
        responses=_GLOSSARY | refusals(TooLarge, *_WRITING, *WITH_TOKEN),
        openapi_extra=_WRITE,
    )
    async def put(request: Request) -> Response:
        return await (await asked(request)).write()

    @router.delete(
        path,
        summary="Delete the glossary of all rooms",
        status_code=204,
        response_class=Response,
        responses=_DELETED | refusals(*_WRITING, *WITH_TOKEN),
        openapi_extra=_REMOVE,
    )
    async def delete(request: Request) -> Response:
        return await (await asked(request)).delete()


class _Asked:
    """A request for the glossary of ``owner``, by a principal that may read and change it."""

    def __init__(
        self, request: Request, gateway: Gateway, principal: Principal, owner: Owner, room: RoomId | None
    ) -> None:
        self._request = request
        self._gateway = gateway
        self._principal = principal
        self._owner = owner
        self._room = room

    def read(self) -> Response:
        """The glossary in the format that the query asks for. Raises ``BadRequest``."""
        wanted = self._request.query_params.get("format", "json")
        if wanted not in get_args(Format):
            raise BadRequest("format: has to be json or txt")
        kept = self._gateway.glossaries.of(self._owner)
        self._audit("glossary.read", kept)
        if wanted == "txt":
            text = write_terms(kept.glossary.terms)
            return PlainTextResponse(text, headers=_versioned(kept), media_type=f"{TEXT}; charset=utf-8")
        return _answer(kept)

    async def write(self) -> Response:
        """Store the terms of the body. Raises ``BadRequest``, ``Changed``, ``TooLarge`` and ``LogError``."""
        terms = await _terms_of(self._request)
        return _answer(await self._audited("glossary.changed", lambda: self._put(terms)))

    async def delete(self) -> Response:
        """Delete the glossary. Raises ``Changed`` and ``LogError``."""
        kept = await self._audited("glossary.deleted", lambda: self._put(()))
        return Response(status_code=204, headers=_versioned(kept))

    async def _put(self, terms: tuple[Term, ...]) -> Kept:
        given = self._request.headers.get("if-match", "*").strip()
        replaces = None
        if given != "*":
            versions = re.findall(r'"([^"]*)"', given) or [given]
            standing = self._gateway.glossaries.of(self._owner).version
            replaces = standing if standing in versions else versions[0]
        return await self._gateway.glossaries.put(self._owner, terms, replaces)

    async def _audited(self, action: str, change: Callable[[], Awaitable[Kept]]) -> Kept:
        try:
            kept = await change()
        except Refusal as refusal:
            self._audit(action, outcome=refusal.code)
            raise
        self._audit(action, kept)
        return kept

    def _audit(self, action: str, kept: Kept | None = None, *, outcome: str = "ok") -> None:
        terms = None if kept is None else len(kept.glossary.terms)
        by, room = self._principal, self._room
        if room is not None:
            audit(self._request, self._gateway, action, by, room, outcome=outcome, terms=terms)
        else:
            audit(self._request, self._gateway, action, by, outcome=outcome, terms=terms, of_tenant=self._owner.tenant)


async def _terms_of(request: Request) -> tuple[Term, ...]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TEXT:
        return (await json_body(request, TermsBody, LARGEST_GLOSSARY)).terms
    try:
        return read_terms(await text_body(request, LARGEST_GLOSSARY))
    except LineError as error:
        raise BadRequest(str(error)) from error


def _answer(kept: Kept) -> JSONResponse:
    terms = kept.glossary.terms
    left_out = [term.text for term in terms[len(fitting(terms)) :]]
    answer = GlossaryAnswer(terms=terms, left_out=left_out, sources=dict(kept.glossary.sources))
    return JSONResponse(answer.model_dump(mode="json"), headers=_versioned(kept))


def _versioned(kept: Kept) -> dict[str, str]:
    return {"ETag": f'"{kept.version}"'}
