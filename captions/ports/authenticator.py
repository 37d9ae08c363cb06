"""The Authenticator port: maps a request's token to a principal."""

from typing import Protocol

from captions.access import ANYBODY, Principal


class Authenticator(Protocol):
    """Checks tokens."""

    async def authenticate(self, token: str | None) -> Principal:
        """Return the principal of ``token`` (None: a request without a token). Raises ``Unauthorized``."""
        ...

    def revoked(self, credential: str) -> bool:
        """Whether the key with this id was revoked since it let a principal in. It must be quick: no I/O that waits."""
        ...


class OpenAccess:
    """An authenticator that accepts every request with all rights."""

    async def authenticate(self, token: str | None) -> Principal:  # noqa: ARG002 - as the port has it
        """Return ``ANYBODY``, whatever the token is."""
        return ANYBODY

    def revoked(self, credential: str) -> bool:  # noqa: ARG002 - as the port has it
        """Return False: there are no keys."""
        return False
