"""The TokenSigner port: makes short-lived tokens, which the authenticator of the same server accepts."""

from typing import NamedTuple, Protocol

from captions.access import Principal


class SignedToken(NamedTuple):
    """A token and when it expires, in Unix seconds."""

    token: str
    expires_at: int


class TokenSigner(Protocol):
    """Signs tokens."""

    def sign(self, principal: Principal, expires_in: float) -> SignedToken:
        """A token for ``principal`` that is valid for ``expires_in`` seconds, or until the principal's own expires."""
        ...
