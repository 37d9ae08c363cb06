"""Who may use the server, as the settings say."""

import ipaddress
from typing import NamedTuple

import structlog

from auth.api_keys import ApiKeys
from auth.authenticator import TokenAuthenticator
from auth.jwt_tokens import JwtSettings, JwtTokens
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from auth.static_tokens import StaticTokens
from captions.access import Principal
from captions.errors import SetupError
from captions.ports.authenticator import Authenticator, OpenAccess
from captions.ports.clock import Clock
from captions.ports.token_signer import TokenSigner
from livecaptions.clock import SystemClock
from livecaptions.login import build_login, oidc_secret
from livecaptions.settings.fields import Settings

logger = structlog.get_logger(__name__)

SHORTEST_SECRET = 32
"""Bytes of an HS256 secret (RFC 7518, 3.2). Shorter ones can be guessed from a token."""


class Access(NamedTuple):
    """The authenticator, and what signs the server's own tokens; None if there is no secret to sign them with."""

    authenticator: Authenticator
    signer: TokenSigner | None


def build_access(settings: Settings, clock: Clock) -> Access:
    """Build what checks tokens, and log what an operator should know. Raises ``SetupError``."""
    if not is_closed(settings):
        return Access(OpenAccess(), None)
    access = _build(settings, clock)
    if settings.tokens:
        logger.warning("tokens_deprecated", instead="livecaptions keys create, and the setting keys_file")
    secret = "" if settings.jwt_secret is None else settings.jwt_secret.get_secret_value()
    if 0 < len(secret.encode()) < SHORTEST_SECRET:
        logger.warning("jwt_secret_too_short", bytes=len(secret.encode()), needed=SHORTEST_SECRET)
    return access


def _build(settings: Settings, clock: Clock) -> Access:
    secret = None if settings.jwt_secret is None else settings.jwt_secret.get_secret_value()
    keys = None if settings.keys_file is None else ApiKeys(settings.keys_file, clock)
    rooms = None
    if keys is not None:
        rooms = RoomTokens(lambda: keys.signing_secret, clock)
    elif (signing := secret or oidc_secret(settings)) is not None:
        rooms = RoomTokens(lambda: signing, clock)
    return Access(
        TokenAuthenticator(clock, static=_static(settings), keys=keys, rooms=rooms, jwt=_jwt(settings, secret, clock)),
        rooms,
    )


def check_access(settings: Settings) -> None:
    """Check that the server is closed, or open on purpose, or reachable from this machine alone.

    Also checks the files that access depends on. Raises ``SetupError``.
    """
    if (settings.jwt_issuer or settings.jwt_audience) and not (settings.jwt_secret or settings.jwt_jwks):
        raise SetupError(
            "jwt_issuer and jwt_audience check tokens that nothing verifies: set jwt_secret or jwt_jwks too"
        )
    if is_closed(settings):
        if settings.open:
            raise SetupError(
                "open lets everybody in, but keys are set too: remove open, or the keys, jwt_*, oidc_* and tokens"
            )
        _build(settings, SystemClock())
        build_login(settings, SystemClock())
    elif not settings.open and not is_loopback(settings.host):
        raise SetupError(
            f"without keys everybody who reaches {settings.host} could publish and read. Make a key with "
            "livecaptions keys create --keys-file keys.json and set keys_file, or let everybody in with --open"
        )


def describe_access(settings: Settings, clock: Clock) -> str:
    """How the server is protected, in one line without secrets. Raises ``SetupError`` if the keys file is not valid."""
    if not is_closed(settings):
        return "open to this machine only" if is_loopback(settings.host) else "open to everybody: --open"
    ways = []
    if settings.keys_file is not None:
        states = [key.state(clock.wall()) for key in KeysFile(settings.keys_file).read().keys]
        active = states.count("active")
        ways.append(f"keys file {settings.keys_file} ({active} active {'key' if active == 1 else 'keys'})")
    issuers = [*(["jwt_secret"] if settings.jwt_secret else []), *([settings.jwt_jwks] if settings.jwt_jwks else [])]
    if issuers:
        claims = (("issuer", settings.jwt_issuer), ("audience", settings.jwt_audience))
        ways += [f"JWT from {' and '.join(issuers)}", *(f"{name} {value}" for name, value in claims if value)]
    if settings.tokens:
        ways.append(f"{len(settings.tokens)} of [[tokens]], which are deprecated")
    if settings.oidc_issuer is not None:
        ways.append(f"login at {settings.oidc_issuer}")
    return ", ".join(ways)


def is_closed(settings: Settings) -> bool:
    """Whether a token is needed."""
    return any(
        (settings.tokens, settings.keys_file, settings.jwt_secret, settings.jwt_jwks, settings.oidc_issuer is not None)
    )


def is_local_only(settings: Settings) -> bool:
    """Whether the server is open because nobody but this machine reaches it."""
    return not is_closed(settings) and not settings.open and is_loopback(settings.host)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's, for itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _static(settings: Settings) -> StaticTokens | None:
    if not settings.tokens:
        return None
    return StaticTokens(
        {
            token.token.get_secret_value(): Principal(
                rooms=token.rooms,
                rights=token.rights,
                tenant=token.tenant,
                subject=f"token:{number}",
            )
            for number, token in enumerate(settings.tokens)
        }
    )


def _jwt(settings: Settings, secret: str | None, clock: Clock) -> JwtTokens | None:
    if secret is None and settings.jwt_jwks is None:
        return None
    return JwtTokens(
        JwtSettings(secret=secret, jwks=settings.jwt_jwks, issuer=settings.jwt_issuer, audience=settings.jwt_audience),
        clock,
    )
