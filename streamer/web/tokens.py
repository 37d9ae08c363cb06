"""``POST /v1/tokens``: short-lived tokens for browsers and for links that are shared."""

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from captions.access import ROOM_PATTERN, Principal, Right
from captions.errors import NotFound
from captions.ports.token_signer import TokenSigner

LONGEST = 24 * 3600
"""Seconds. Whoever needs a longer time needs a key, which can be listed and revoked."""


class TokenRequest(BaseModel):
    """What a token shall be good for: by default everything that its maker may do, for an hour."""

    model_config = ConfigDict(extra="forbid")

    rooms: tuple[Annotated[str, Field(pattern=ROOM_PATTERN)], ...] | None = Field(None, max_length=100)
    rights: frozenset[Right] | None = None
    expires_in: int = Field(3600, ge=1, le=LONGEST)


class TokenResponse(BaseModel):
    """The token, and when it expires in Unix seconds."""

    token: str
    expires_at: int


def make_token(principal: Principal, asked: TokenRequest, signer: TokenSigner | None) -> TokenResponse:
    """Make a token with the principal's rights or fewer, which expires no later than the principal's.

    Raises ``Forbidden`` or ``NotFound``.
    """
    rooms = principal.rooms if asked.rooms is None else asked.rooms
    rights = principal.rights if asked.rights is None else asked.rights
    principal.require_at_least(rooms, rights)
    if signer is None:
        raise NotFound("this server has no secret to sign tokens with: set keys_file or jwt_secret")
    signed = signer.sign(replace(principal, rooms=rooms, rights=rights), asked.expires_in)
    return TokenResponse(token=signed.token, expires_at=signed.expires_at)
