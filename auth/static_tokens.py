"""Authentication with the tokens listed in the settings."""

import hmac
from collections.abc import Mapping

from captions.access import Principal
from captions.errors import Unauthorized


class StaticTokens:
    """An authenticator with a fixed map from tokens to principals."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = [(token.encode(), principal) for token, principal in principals.items()]

    async def authenticate(self, token: str | None) -> Principal:
        """Return the principal of ``token``. Raises ``Unauthorized`` if it is missing or not listed."""
        if not token:
            raise Unauthorized("a token is required: send Authorization: Bearer TOKEN, or the query parameter token")
        given = token.encode()
        # compare every token, so that the response time does not reveal how close a guess was
        found = [principal for known, principal in self._principals if hmac.compare_digest(known, given)]
        if not found:
            raise Unauthorized("this token is unknown; ask the operator for a valid one")
        return found[0]

    def revoked(self, credential: str) -> bool:  # noqa: ARG002 - as the port has it
        """Return False: the settings are read once."""
        return False
