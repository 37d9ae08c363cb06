"""Authentication with the tokens listed in the settings."""

import hmac
from collections.abc import Mapping

from captions.access import Principal


class StaticTokens:
    """A fixed map from tokens to principals."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = [(token.encode(), principal) for token, principal in principals.items()]

    def principal_of(self, token: str) -> Principal | None:
        """The principal of ``token``, or None if it is not listed."""
        given = token.encode()
        # compare every token, so that the response time does not reveal how close a guess was
        found = [principal for known, principal in self._principals if hmac.compare_digest(known, given)]
        return found[0] if found else None
