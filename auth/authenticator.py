"""The Authenticator port with every kind of token that a server accepts."""

import hashlib
from collections import OrderedDict
from dataclasses import replace

from auth import room_tokens
from auth.api_keys import ApiKeys
from auth.jwt_tokens import LEEWAY, JwtTokens
from auth.room_tokens import RoomTokens
from auth.static_tokens import StaticTokens
from captions.access import Principal
from captions.errors import Unauthorized
from captions.ports.clock import Clock

MOST_REMEMBERED = 1024
"""Signed tokens whose verification is remembered. It costs up to 0.1 ms, and browsers send them with every request."""
REMEMBERED_FOR = 60.0
"""Seconds after which a token is verified again: its issuer may have withdrawn the key."""


class TokenAuthenticator:
    """Accepts tokens of the settings, API keys, room tokens and JSON Web Tokens, whichever are set up."""

    def __init__(
        self,
        clock: Clock,
        *,
        static: StaticTokens | None = None,
        keys: ApiKeys | None = None,
        rooms: RoomTokens | None = None,
        jwt: JwtTokens | None = None,
    ) -> None:
        self._clock = clock
        self._static = static
        self._keys = keys
        self._rooms = rooms
        self._jwt = jwt
        self._remembered: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def authenticate(self, token: str | None) -> Principal:
        """Return the principal of ``token``.

        Raises ``Unauthorized`` if it is missing, unknown, expired or revoked, and ``Internal`` if that cannot be told.
        """
        if not token:
            raise Unauthorized("a token is required: send Authorization: Bearer TOKEN, or the query parameter token")
        if self._static is not None and (principal := self._static.principal_of(token)) is not None:
            return principal
        if self._keys is not None and (principal := self._keys.principal_of(token)) is not None:
            return principal
        principal = await self._signed(token)
        if principal.credential is not None and self.revoked(principal.credential):
            raise Unauthorized("the key that made this token has been revoked; ask the operator for another token")
        if principal.credential is not None and self._keys is not None:
            return replace(principal, limits=self._keys.limits_of(principal.credential))
        return principal

    def revoked(self, credential: str) -> bool:
        """Whether the key with this id was revoked or is gone."""
        return self._keys is None or self._keys.revoked(credential)

    async def _signed(self, token: str) -> Principal:
        digest = hashlib.sha256(token.encode()).digest()
        now = self._clock.monotonic()
        principal, until = self._remembered.get(digest, (None, 0.0))
        if principal is None or until <= now:
            self._remembered.pop(digest, None)
            principal = await self._verify(token)
            self._remembered[digest] = principal, now + REMEMBERED_FOR
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        leeway = 0.0 if token.startswith(room_tokens.PREFIX) else LEEWAY
        if principal.expires_at is not None and principal.expires_at + leeway <= self._clock.wall():
            raise Unauthorized("this token has expired; ask for a new one")
        return principal

    async def _verify(self, token: str) -> Principal:
        if self._rooms is not None and token.startswith(room_tokens.PREFIX):
            return self._rooms.principal_of(token)
        if self._jwt is not None and token.count(".") == 2:
            return await self._jwt.principal_of(token)
        raise Unauthorized("this token is unknown; ask the operator for a valid one")
