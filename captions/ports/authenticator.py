"""The Authenticator port: from what a request carries to who asks."""

from typing import Protocol

from captions.access import ANYBODY, Principal


class Authenticator(Protocol):
    """Knows the tokens that are valid."""

    async def authenticate(self, token: str | None) -> Principal:
        """Who a token belongs to; None is a request without one. Raises ``Unauthorized``."""
        ...


class OpenAccess:
    """An authenticator that asks for no token: everybody may do everything."""

    async def authenticate(self, token: str | None) -> Principal:  # noqa: ARG002 - as the port has it
        """Anybody."""
        return ANYBODY
