"""The HTTP application: the paths of docs/protocol.md and the functions that serve them."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from captions.access import Right
from captions.errors import BadRequest, Forbidden, Internal, NotFound, Refusal, ShuttingDown, TooLarge
from captions.ports.authenticator import OpenAccess
from captions.ports.login import LoginProvider
from streamer.gateway import Gateway
from streamer.pages import router as pages
from streamer.pages import static_files
from streamer.pages.problem import problem_page, wants_page
from streamer.protocols.native import NativeProtocol
from streamer.web import event_stream, rest, view
from streamer.web import publish as publishing
from streamer.web.body import json_body
from streamer.web.browser_policy import BrowserPolicy
from streamer.web.credentials import admitted, audit, principal_of
from streamer.web.disconnection import Disconnected
from streamer.web.glossaries import glossary_routes
from streamer.web.login import login_routes
from streamer.web.openapi import IN_A_ROOM, LAST_EVENT_ID, TENANT, WITH_TOKEN, RoomName, body, describe, query, refusals
from streamer.web.query import TranscriptQuery, ViewQuery, transcript_query
from streamer.web.refusals import as_response, refuse
from streamer.web.tokens import TokenRequest, TokenResponse, make_token


def create_app(gateway: Gateway, login: LoginProvider | None = None) -> FastAPI:
    """Create the ASGI application of one gateway. ``login`` knows the people who may log in; None: nobody can."""

    class App(FastAPI):
        def build_middleware_stack(self) -> ASGIApp:
            closed = not isinstance(gateway.authenticator, OpenAccess)
            inside = super().build_middleware_stack()  # with the handler of failures
            return BrowserPolicy(inside, gateway.settings, gateway.probe, closed=closed)

    app = App(title="livecaptions", version="1", docs_url=None, redoc_url=None)
    app.include_router(pages)
    app.include_router(login_routes(gateway, login))
    app.mount("/static", static_files)
    _errors(app, gateway)
    _sockets(app, gateway)
    _rooms(app, gateway)
    app.include_router(glossary_routes(gateway))
    _tokens(app, gateway)
    describe(app)
    return app


def _errors(app: FastAPI, gateway: Gateway) -> None:
    @app.exception_handler(Disconnected)
    async def left(_: Request, __: Disconnected) -> Response:
        return Response(status_code=499)  # for middleware: nobody reads it

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        gateway.probe.refused(refusal.code)
        response = as_response(refusal)
        if wants_page(request):
            return problem_page(request, refusal.http_status, refusal.message, response.headers, refusal.code)
        return response

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        code, message = "bad_request", str(error.detail)
        if error.status_code == 404:
            code, message = "not_found", f"there is nothing at {request.url.path}"
        if wants_page(request):
            return problem_page(request, error.status_code, message, error.headers or {})
        content = {"type": "error", "code": code, "message": message}
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(app, request))
        return JSONResponse(content, status_code=error.status_code, headers=headers)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        gateway.probe.refused(Internal.code)
        return as_response(Internal("the server failed and logged the cause; try again"))


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods that the request's path takes: Starlette knows those of its first route alone."""
    methods = ("GET", "POST", "PUT", "DELETE")
    return [
        method
        for method in methods
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]


def _sockets(app: FastAPI, gateway: Gateway) -> None:
    @app.websocket("/v1/rooms/{room}/publish")
    async def publish(websocket: WebSocket, room: str) -> None:
        await publishing.publish(websocket, gateway, room, NativeProtocol())

    @app.websocket("/v1/rooms/{room}/captions")
    async def captions(websocket: WebSocket, room: str) -> None:
        await view.view(websocket, gateway, room)

    @app.websocket("/{path:path}")
    async def nothing(websocket: WebSocket, path: str) -> None:
        await refuse(websocket, NotFound(f"there is no socket at /{path}; rooms are at /v1/rooms/ROOM/captions"))


def _rooms(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/v1/rooms", summary="Live rooms", responses=refusals(*WITH_TOKEN))
    async def rooms(request: Request) -> list[rest.RoomSummary]:
        principal = await principal_of(request, gateway)
        return await rest.live_rooms(gateway, principal)

    @app.delete(
        "/v1/rooms/{room}",
        summary="Delete what was said",
        response_model=rest.DeletedRoom,
        responses=rest.DELETED | refusals(*IN_A_ROOM),
        openapi_extra={"parameters": [TENANT]},
    )
    async def delete(request: Request, room: RoomName) -> Response:
        admission = await admitted(request, gateway, Right.MANAGE, room)
        try:
            answer = await rest.delete_room(gateway, admission.room)
        except Refusal as refusal:
            audit(request, gateway, "room.deleted", *admission, outcome=refusal.code)
            raise
        audit(request, gateway, "room.deleted", *admission)
        return answer

    @app.get(
        "/v1/rooms/{room}/captions",
        summary="Captions as server-sent events",
        response_class=Response,
        responses=event_stream.RESPONSES | refusals(ShuttingDown, *IN_A_ROOM),
        openapi_extra={"parameters": [*query(ViewQuery), TENANT, LAST_EVENT_ID]},
    )
    async def events(request: Request, room: RoomName) -> Response:
        return await event_stream.view_events(request, gateway, room)

    @app.get("/v1/rooms/{room}/publish", include_in_schema=False)
    async def publish_without_upgrade(request: Request, room: str) -> Response:
        await publishing.check(request, gateway, room)  # a browser asks here why its socket was refused
        raise BadRequest(f"/v1/rooms/{room}/publish is a WebSocket: connect to it with ws:// or wss://")

    @app.get(
        "/v1/rooms/{room}/transcript",
        summary="The finals so far",
        response_class=Response,
        responses=rest.TRANSCRIPTS | refusals(*IN_A_ROOM),
        openapi_extra={"parameters": [*query(TranscriptQuery), TENANT]},
    )
    async def transcript(request: Request, room: RoomName) -> Response:
        admission = await admitted(request, gateway, Right.VIEW, room)
        query = transcript_query(request.query_params)
        answer = await rest.transcript(request, gateway, admission.room, query)
        audit(request, gateway, "transcript.exported", *admission, format=query.format)
        return answer


def _tokens(app: FastAPI, gateway: Gateway) -> None:
    @app.post(
        "/v1/tokens",
        summary="A short-lived token",
        responses=refusals(BadRequest, Forbidden, NotFound, TooLarge, *WITH_TOKEN),
        openapi_extra=body(TokenRequest),
    )
    async def tokens(request: Request, response: Response) -> TokenResponse:
        principal = await principal_of(request, gateway)
        made = make_token(principal, await json_body(request, TokenRequest), gateway.signer)
        response.headers["Cache-Control"] = "no-store"
        audit(request, gateway, "token.created", principal, expires_at=made.expires_at)
        return made
