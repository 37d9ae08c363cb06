"""Short-lived tokens that the server signs itself, for browsers and for links that are shared.

A token is a JSON Web Token (RFC 7519) with a prefix. It names the key that it was made with, and is worthless once that
key is revoked.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict

from auth.unreadable import UNREADABLE
from captions.access import Principal, Right
from captions.errors import Unauthorized
from captions.ports.clock import Clock
from captions.ports.token_signer import SignedToken

PREFIX = "lct_"
ALGORITHM = "HS256"


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=False)

    sub: str
    exp: int
    rooms: tuple[str, ...]
    rights: frozenset[Right]
    tenant: str | None = None
    key: str | None = None


class RoomTokens:
    """Signs and verifies room tokens. ``secret`` returns the secret of today; all gateways have to share it."""

    def __init__(self, secret: Callable[[], str], clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def sign(self, principal: Principal, expires_in: float) -> SignedToken:
        """A token for ``principal`` that is valid for ``expires_in`` seconds, or until the principal's own expires."""
        now = self._clock.wall()
        expires_at = now + expires_in
        if principal.expires_at is not None:
            expires_at = min(expires_at, principal.expires_at)
        claims = {
            "jti": secrets.token_urlsafe(9),
            "sub": principal.subject,
            "tenant": principal.tenant,
            "rooms": list(principal.rooms),
            "rights": sorted(principal.rights),
            "key": principal.credential,
            "iat": int(now),
            "exp": int(expires_at),
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return SignedToken(PREFIX + jwt.encode({"alg": ALGORITHM}, given, self._key()), int(expires_at))

    def principal_of(self, token: str) -> Principal:
        """The principal of a token that begins with ``PREFIX``. Raises ``Unauthorized``.

        The caller checks whether the key of the principal has been revoked, and whether the token has expired.
        """
        try:
            decoded = jwt.decode(token.removeprefix(PREFIX), self._key(), algorithms=[ALGORITHM])
            claims = _Claims.model_validate(decoded.claims)
        except UNREADABLE as error:
            raise Unauthorized("this token was not made by this server; ask for a new one") from error
        return Principal(
            rooms=claims.rooms,
            rights=claims.rights,
            tenant=claims.tenant,
            subject=claims.sub,
            credential=claims.key,
            expires_at=claims.exp,
        )

    def _key(self) -> OctKey:
        # derived, so that a secret that signs other tokens as well never signs two kinds
        derived = hmac.digest(self._secret().encode(), b"livecaptions room token", hashlib.sha256)
        return OctKey.import_key(derived)
