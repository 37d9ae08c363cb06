"""Authentication with JSON Web Tokens (RFC 7519) of an issuer."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from auth.claims import principal_of
from auth.jwks import JwksKeys
from auth.unreadable import UNREADABLE
from captions.access import Principal
from captions.errors import Unauthorized
from captions.ports.clock import Clock

LEEWAY = 10.0
"""Seconds that the issuer's clock may differ from ours."""

PUBLIC_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA", "Ed25519"})

LATEST = 2**53
"""The latest time in Unix seconds that a claim may name: JSON numbers are exact up to here (RFC 8259, 6)."""

MOST_KEYS = 8
"""Keys that are tried for a token that names none."""

BAD_TOKEN = "this token is not valid; ask for a new one"  # noqa: S105 - a message


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtSettings:
    """How tokens are verified.

    ``secret`` verifies HS256. ``jwks`` verifies RS256, ES256 and EdDSA: an ``http(s)`` address or a file. ``issuer``
    and ``audience`` have to be the token's ``iss`` and one of its ``aud``, if they are set.
    """

    secret: str | None = None
    jwks: str | None = None
    issuer: str | None = None
    audience: str | None = None


class JwtTokens:
    """Verifies tokens. Raises ``SetupError`` if ``jwks`` is a file that cannot be read.

    The algorithm follows from the type of the key, never from the token alone: a public key never verifies HS256.
    """

    def __init__(self, settings: JwtSettings, clock: Clock, keys: JwksKeys | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._secret = None if settings.secret is None else _oct_key(settings.secret)
        if keys is None and settings.jwks is not None:
            keys = JwksKeys(settings.jwks, clock)
        self._keys = keys

    async def principal_of(self, token: str) -> Principal:
        """The principal that the claims describe.

        Raises ``Unauthorized``, or ``Internal`` while the issuer's keys cannot be fetched.
        """
        try:
            header = jws.extract_compact(token.encode()).headers()
        except UNREADABLE as error:
            raise Unauthorized(BAD_TOKEN) from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        keys = await self._keys_for(algorithm, key_id if isinstance(key_id, str) else None)
        for key in keys[:MOST_KEYS]:
            if (claims := self._verified(token, key, str(algorithm))) is not None:
                self._check(claims)
                return principal_of(claims)
        raise Unauthorized("this token is signed with an unknown key; ask for a new one")

    async def _keys_for(self, algorithm: object, key_id: str | None) -> Sequence[Key]:
        if algorithm == "HS256":
            return [] if self._secret is None else [self._secret]
        if self._keys is None or not isinstance(algorithm, str) or algorithm not in PUBLIC_ALGORITHMS:
            return []
        return [key for key in await self._keys.find(key_id) if _fits(key, algorithm)]

    def _verified(self, token: str, key: Key, algorithm: str) -> dict[str, object] | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # issuers still write EdDSA, which RFC 9864 renames
                return jwt.decode(token, key, algorithms=[algorithm]).claims
        except UNREADABLE:
            return None

    def _check(self, claims: dict[str, object]) -> None:
        """Check ``exp``, ``nbf``, ``iss`` and ``aud``. Raises ``Unauthorized``."""
        now = self._clock.wall()
        expires_at, begins_at = claims.get("exp"), claims.get("nbf", 0)
        if not _is_number(expires_at) or not _is_number(begins_at):
            raise Unauthorized("this token's claims are not valid: exp is required, and exp and nbf are Unix seconds")
        if expires_at + LEEWAY <= now:
            raise Unauthorized("this token has expired; ask for a new one")
        if begins_at - LEEWAY > now:
            raise Unauthorized("this token is not valid yet")
        settings = self._settings
        if settings.issuer is not None and claims.get("iss") != settings.issuer:
            raise Unauthorized("this token's issuer (iss) is not the one that this server trusts")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [] if audience is None else [audience]
        if (settings.audience is not None or named) and settings.audience not in named:
            raise Unauthorized("this token's audience (aud) is not this server")


def _oct_key(secret: str) -> OctKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # the operator is told of a short secret where it is set
        return OctKey.import_key(secret)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LATEST <= value <= LATEST


def _fits(key: Key, algorithm: str) -> bool:
    """Whether a key of this type and use verifies this algorithm."""
    if key.get("alg", algorithm) != algorithm:
        return False
    match key:
        case RSAKey():
            return algorithm == "RS256"
        case ECKey():
            return algorithm == "ES256" and key.curve_name == "P-256"
        case OKPKey():
            return algorithm in {"EdDSA", "Ed25519"}
        case _:
            return False
