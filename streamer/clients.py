"""The clients that are connected to this gateway, by the key that let them in."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from captions.access import Principal
from captions.errors import Refusal, Unauthorized
from captions.ports.authenticator import Authenticator

logger = structlog.get_logger(__name__)

REVOCATION_INTERVAL = 1.0
"""Seconds between two checks of whether the keys of connected clients are still valid."""

End = Callable[[Refusal], None]
"""Ends a client's connection for this reason."""


class Clients:
    """The connected clients. Those whose key is revoked are disconnected."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._by_credential: dict[str, dict[object, End]] = {}
        self._revoked: set[str] = set()

    @contextmanager
    def connected(self, principal: Principal, end: End) -> Iterator[None]:
        """Count a client as connected while the context lasts. ``end`` is called if its key is revoked meanwhile."""
        if principal.credential is None:
            yield
            return
        ends, client = self._by_credential.setdefault(principal.credential, {}), object()
        ends[client] = end
        try:
            yield
        finally:
            del ends[client]
            if not ends:
                self._by_credential.pop(principal.credential, None)

    def disconnect_revoked(self) -> None:
        """Disconnect the clients whose key has been revoked. The log tells it once, although some may take a while."""
        known, self._revoked = self._revoked, set()
        for credential, ends in list(self._by_credential.items()):
            if self._authenticator.revoked(credential):
                self._revoked.add(credential)
                if credential not in known:
                    logger.info("key_revoked", key=credential, connections=len(ends))
                refusal = Unauthorized("this key has been revoked; ask the operator for another one")
                for end in list(ends.values()):
                    end(refusal)

    async def watch(self) -> None:
        """Disconnect clients as their keys are revoked, until cancelled."""
        while True:
            await asyncio.sleep(REVOCATION_INTERVAL)
            self.disconnect_revoked()
