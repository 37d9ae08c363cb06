"""An OpenID Connect provider over HTTP: its metadata, its token endpoint and what it knows of users."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from auth.fetching import fetch
from captions.errors import LoginFailed, LoginUnavailable
from captions.ports.clock import Clock

logger = structlog.get_logger(__name__)

# in seconds
LIFETIME = 300.0
"""After this time the metadata is fetched again. While the provider cannot be reached, the known one stays in use."""

_DISCOVERY = "/.well-known/openid-configuration"
_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The provider at ``issuer``. All methods raise ``LoginUnavailable`` if it does not answer, or not as it should."""

    def __init__(self, issuer: str, clock: Clock, client: httpx.AsyncClient | None = None) -> None:
        self._issuer = issuer.rstrip("/")
        self._clock = clock
        self._client = client
        self._known: tuple[Mapping[str, Any], float] | None = None
        self._fetching = asyncio.Lock()

    async def metadata(self) -> Mapping[str, Any]:
        """The provider's metadata (OpenID Connect Discovery)."""
        async with self._fetching:
            if self._known is None or self._clock.monotonic() - self._known[1] > LIFETIME:
                try:
                    self._known = await self._fetch_metadata(), self._clock.monotonic()
                except LoginUnavailable:
                    if self._known is None:
                        raise
            return self._known[0]

    async def _fetch_metadata(self) -> Mapping[str, Any]:
        status, found = await self._ask("GET", self._issuer + _DISCOVERY)
        if status != httpx.codes.OK or not all(isinstance(found.get(name), str) for name in _NEEDED):
            raise self._unavailable(f"{self._issuer}{_DISCOVERY} is no metadata of a provider (status {status})")
        if found["issuer"].rstrip("/") != self._issuer:
            raise self._unavailable(f"the provider calls itself {found['issuer']}; set oidc_issuer to its name")
        return found

    async def redeem(self, form: Mapping[str, str], client_id: str, client_secret: str) -> Mapping[str, Any]:
        """Exchange the code in ``form`` for tokens. Raises ``LoginFailed`` if the provider does not accept the code."""
        metadata = await self.metadata()
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in methods:
            # encoded before they are put together: RFC 6749, 2.3.1
            auth = httpx.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
            status, answer = await self._ask("POST", metadata["token_endpoint"], data=dict(form), auth=auth)
        else:
            data = {**form, "client_id": client_id, "client_secret": client_secret}
            status, answer = await self._ask("POST", metadata["token_endpoint"], data=data)
        if answer.get("error") == "invalid_grant":
            raise LoginFailed("the identity provider no longer accepts this login; log in again")
        if status != httpx.codes.OK:
            raise self._unavailable(f"the provider gives no token: status {status}, {answer.get('error')}")
        return answer

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """What the provider says of the user beside the ID token; empty if it has no such endpoint."""
        endpoint = (await self.metadata()).get("userinfo_endpoint")
        if not isinstance(endpoint, str):
            return {}
        status, answer = await self._ask("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if status != httpx.codes.OK:
            raise self._unavailable(f"the provider does not say who the user is: status {status}")
        return answer

    async def _ask(self, method: str, url: str, **request: Any) -> tuple[int, Mapping[str, Any]]:  # noqa: ANN401 - httpx's own
        """The status and the JSON object of a response."""
        try:
            response = await fetch(self._client, method, url, **request)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise self._unavailable(f"{url} does not answer: {type(error).__name__}") from error
        try:
            answer = response.json()
        except (ValueError, RecursionError) as error:
            raise self._unavailable(f"{url} does not answer with JSON: status {response.status_code}") from error
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _unavailable(self, reason: str) -> LoginUnavailable:
        """The refusal for users. The reason is for the operator."""
        logger.error("login_unavailable", issuer=self._issuer, reason=reason)
        return LoginUnavailable(
            "the identity provider does not answer as it should; try again later, or tell the operator"
        )
