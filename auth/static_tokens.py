"""Tokens that are listed in the settings."""

import hmac
from collections.abc import Mapping

from captions.access import Principal
from captions.errors import Unauthorized


class StaticTokens:
    """An authenticator that knows a fixed list of tokens, and whose each is."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = [(token.encode(), principal) for token, principal in principals.items()]

    async def authenticate(self, token: str | None) -> Principal:
        """Who the token belongs to. Raises ``Unauthorized`` without a token, and for one that is not listed."""
        if not token:
            raise Unauthorized("a token is needed: send Authorization: Bearer TOKEN, or the query parameter token")
        given = token.encode()
        # every token is compared, so that the time taken does not tell how near a guess came
        found = [principal for known, principal in self._principals if hmac.compare_digest(known, given)]
        if not found:
            raise Unauthorized("this token is not known here; ask the operator for one")
        return found[0]
