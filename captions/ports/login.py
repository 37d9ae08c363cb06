"""The LoginProvider port: finds out who a user is, by sending the browser to where they have an account."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from captions.access import Principal


class LoginBegun(NamedTuple):
    """A login that has begun: the browser goes to ``url``, and brings ``remembered`` back with the answer."""

    url: str
    remembered: str


class LoginProvider(Protocol):
    """Finds out who a user is. ``redirect_uri`` is the address that the provider sends the browser back to."""

    async def begin(self, redirect_uri: str) -> LoginBegun:
        """Begin a login. Raises ``LoginUnavailable``."""
        ...

    async def finish(self, redirect_uri: str, remembered: str, answer: Mapping[str, str]) -> Principal:
        """Return the user of the login with this ``answer``, the parameters that the provider sent back.

        Raises ``LoginFailed`` if the answer belongs to no login or is not valid, ``Forbidden`` if the user has no
        rights here, and ``LoginUnavailable``.
        """
        ...
