"""Login with OpenID Connect: the authorization code flow with PKCE, as a confidential client.

What a login has to remember travels in the browser, signed with the client's secret: it may end at another gateway than
it began at.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey

from auth.claims import principal_of
from auth.jwks import JwksKeys
from auth.oidc_provider import Provider
from auth.unreadable import UNREADABLE
from captions.access import Principal, Right
from captions.errors import Forbidden, Internal, LoginFailed, LoginUnavailable, Unauthorized
from captions.ports.clock import Clock
from captions.ports.login import LoginBegun

logger = structlog.get_logger(__name__)

# all in seconds
TIME_TO_LOG_IN = 600
LEEWAY = 30

SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""Of ID tokens. The header of a token says which of them, but never one with a shared secret, or none."""

_REMEMBERED = "HS256"
_AGAIN = "log in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The client that the provider knows this server as.

    ``operators`` lists who operates the server: subjects, or verified email addresses (what has an ``@``), or patterns
    of them with ``*``. Other users have the rights that their claims give them.
    """

    issuer: str
    client_id: str
    client_secret: str
    operators: tuple[str, ...] = ()


class OpenIdConnect:
    """The LoginProvider port. ``client`` replaces the HTTP client in tests."""

    def __init__(self, settings: OidcSettings, clock: Clock, client: httpx.AsyncClient | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._provider = Provider(settings.issuer, clock, client)
        self._keys: tuple[str, JwksKeys] | None = None
        derived = hmac.digest(settings.client_secret.encode(), b"livecaptions login", hashlib.sha256)
        self._signs = OctKey.import_key(derived)

    async def begin(self, redirect_uri: str) -> LoginBegun:
        """Begin a login. Raises ``LoginUnavailable``."""
        metadata = await self._provider.metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        expires = int(self._clock.wall()) + TIME_TO_LOG_IN
        claims = {"state": state, "nonce": nonce, "verifier": verifier, "exp": expires}
        return LoginBegun(url, jwt.encode({"alg": _REMEMBERED}, claims, self._signs))

    async def finish(self, redirect_uri: str, remembered: str, answer: Mapping[str, str]) -> Principal:
        """Return the user of a login. Raises ``LoginFailed``, ``Forbidden`` or ``LoginUnavailable``."""
        begun = self._begun(remembered)
        if "error" in answer:  # first, because some providers leave the state out
            code = answer["error"] if re.fullmatch(r"[a-z_]{1,40}", answer["error"]) else "an error"
            raise LoginFailed(f"the identity provider did not let you in, and says {code}; {_AGAIN}")
        if not hmac.compare_digest(answer.get("state", "").encode(), begun["state"].encode()):
            raise LoginFailed(f"this answer belongs to another login; {_AGAIN}")
        metadata = await self._provider.metadata()
        tokens = await self._provider.redeem(
            {
                "grant_type": "authorization_code",
                "code": answer.get("code", ""),
                "redirect_uri": redirect_uri,
                "code_verifier": begun["verifier"],
            },
            self._settings.client_id,
            self._settings.client_secret,
        )
        claims = await self._verified(metadata, tokens, begun["nonce"])
        user = await self._provider.userinfo(str(tokens.get("access_token", "")))
        if user and user.get("sub") != claims["sub"]:
            raise LoginFailed(f"the identity provider answered for two different users; {_AGAIN}")
        return self._principal({**user, **claims})

    def _begun(self, remembered: str) -> dict[str, Any]:
        """What ``begin`` remembered. Raises ``LoginFailed``."""
        try:
            claims = jwt.decode(remembered, self._signs, algorithms=[_REMEMBERED]).claims
        except UNREADABLE as error:
            raise LoginFailed(f"this login did not begin in this browser; {_AGAIN}") from error
        if claims["exp"] <= self._clock.wall():
            raise LoginFailed(f"this login took longer than {TIME_TO_LOG_IN // 60} minutes; {_AGAIN}")
        return claims

    async def _verified(self, metadata: Mapping[str, Any], tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token. Raises ``LoginFailed`` if it is not valid, and ``LoginUnavailable``."""
        encoded = str(tokens.get("id_token", ""))
        try:
            key_id = jws.extract_compact(encoded.encode()).headers().get("kid")
            keys = await self._keys_of(metadata["jwks_uri"]).find(key_id)
            token = jwt.decode(encoded, KeySet(list(keys)), algorithms=ALGORITHMS)
            CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"value": metadata["issuer"]}, "aud": {"value": self._settings.client_id}},
                {"nonce": nonce, "client_id": self._settings.client_id, "access_token": tokens.get("access_token")},
            ).validate(now=int(self._clock.wall()), leeway=LEEWAY)
        except Internal as error:
            raise LoginUnavailable("the identity provider's keys cannot be fetched; try again later") from error
        except UNREADABLE as error:
            # the provider's fault, or that of somebody between it and us: users cannot mend it
            logger.warning("id_token_refused", issuer=self._settings.issuer, reason=str(error) or type(error).__name__)
            raise LoginFailed(f"the identity provider's answer is not valid; {_AGAIN}, or tell the operator") from error
        return token.claims

    def _keys_of(self, address: str) -> JwksKeys:
        if self._keys is None or self._keys[0] != address:
            self._keys = address, JwksKeys(address, self._clock, self._client)
        return self._keys[1]

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        """The user with these claims. Raises ``Forbidden`` if they have no rights here."""
        # anybody may claim an address: it counts where the provider has verified it
        email = claims.get("email") if claims.get("email_verified") is True else None
        subject, email = str(claims["sub"]), str(email or "")
        try:
            principal = principal_of(claims)
        except Unauthorized as error:
            raise Forbidden(f"the identity provider's claims are not valid: {error}") from error
        principal = replace(principal, subject=f"oidc:{email or subject}", expires_at=None)
        if any(fnmatchcase(email if "@" in listed else subject, listed) for listed in self._settings.operators):
            return replace(principal, rooms=("*",), rights=frozenset(Right))
        if not principal.rights:
            raise Forbidden(
                f"the account {email or subject} has no rights here; the operator can list it in oidc_operators, "
                "or have the identity provider send the claims rooms and rights"
            )
        return principal
