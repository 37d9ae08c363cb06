"""Login of people with an account at the operator's identity provider: ``/login`` and ``/logout``.

The cookies hold signed texts. Scripts cannot read them, and browsers send them with no request of another site's page
except where the user follows a link.
"""

from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from captions.access import Principal
from captions.errors import BadRequest, LoginFailed, NotFound, Unauthorized
from captions.explain import check_name
from captions.ports.login import LoginProvider
from captions.ports.token_signer import TokenSigner
from streamer.gateway import Gateway
from streamer.web.address import address_of
from streamer.web.credentials import SESSION_COOKIE, audit, principal_of
from streamer.web.origins import foreign_origin, not_allowed

LOGIN_COOKIE = "livecaptions_login"

# both in seconds
LOGIN_LIFETIME = 600
SESSION_LIFETIME = 8 * 3600
"""A day at a conference. Nobody renews a session: after this time the user logs in again."""


class Session(BaseModel):
    """Who is logged in. ``available``: people can log in here. ``subject`` is None if nobody is logged in."""

    available: bool
    subject: str | None = None


def login_routes(gateway: Gateway, provider: LoginProvider | None) -> APIRouter:
    """The routes of the login; without a ``provider`` or a signer nobody can log in."""
    router = APIRouter(include_in_schema=False)

    def login(request: Request) -> "_Login":
        gateway.limits.knock(address_of(request))  # the provider is asked in turn
        if provider is None or gateway.signer is None:
            raise NotFound("this server has no login; its operator can set one up with oidc_issuer")
        return _Login(provider, gateway.signer)

    @router.get("/login")
    async def begin(request: Request, room: str = "") -> Response:
        return await login(request).begin(_Address.of(request, gateway), room)

    @router.get("/login/callback")
    async def finish(request: Request) -> Response:
        principal, response = await login(request).finish(_Address.of(request, gateway), request)
        audit(request, gateway, "login.finished", principal)
        return response

    @router.get("/login/session")
    async def session(request: Request) -> Session:
        available = provider is not None and gateway.signer is not None
        if available and SESSION_COOKIE in request.cookies:
            with suppress(Unauthorized):
                return Session(available=True, subject=(await principal_of(request, gateway)).subject)
        return Session(available=available)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        if (foreign := foreign_origin(request, gateway.settings)) is not None:
            raise not_allowed(foreign)
        response = Response(status_code=204)
        _Address.of(request, gateway).forget(response, SESSION_COOKIE)
        return response

    return router


class _Address(NamedTuple):
    """The address of the server as the browser has it, with a slash at the end."""

    base: str

    @classmethod
    def of(cls, request: Request, gateway: Gateway) -> "_Address":
        address = gateway.settings.public_url or f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        try:
            named = urlsplit(address).hostname
        except ValueError:
            named = None
        if not named:
            raise BadRequest("Host: the header has to be the address of this server")
        return cls(address.rstrip("/") + "/")

    @property
    def callback(self) -> str:
        return f"{self.base}login/callback"

    def page(self, room: str) -> str:
        return f"{self.base}r/{room}" if room else self.base

    def remember(self, response: Response, cookie: str, value: str, seconds: int) -> None:
        parts = urlsplit(self.base)
        response.set_cookie(
            cookie,
            value,
            max_age=seconds,
            path=parts.path,
            secure=parts.scheme == "https",
            httponly=True,
            samesite="lax",  # not strict: a link to a room in a mail opens it for who is logged in
        )

    def forget(self, response: Response, cookie: str) -> None:
        self.remember(response, cookie, "", 0)


class _Login(NamedTuple):
    provider: LoginProvider
    signer: TokenSigner

    async def begin(self, address: _Address, room: str) -> Response:
        if room:
            check_name("room", room)
        begun = await self.provider.begin(address.callback)
        response = RedirectResponse(begun.url, status_code=303)
        address.remember(response, LOGIN_COOKIE, f"{room}:{begun.remembered}", LOGIN_LIFETIME)
        return response

    async def finish(self, address: _Address, request: Request) -> tuple[Principal, Response]:
        room, found, remembered = request.cookies.get(LOGIN_COOKIE, "").partition(":")
        if not found:
            raise LoginFailed("this login did not begin in this browser, or took too long; log in again")
        if room:
            check_name("room", room)
        principal = await self.provider.finish(address.callback, remembered, request.query_params)
        token, _ = self.signer.sign(principal, SESSION_LIFETIME)
        response = RedirectResponse(address.page(room), status_code=303)
        address.forget(response, LOGIN_COOKIE)
        address.remember(response, SESSION_COOKIE, token, SESSION_LIFETIME)
        return principal, response
