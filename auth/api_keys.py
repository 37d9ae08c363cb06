"""Authentication with the keys of a file, which is read again when it changes."""

from pathlib import Path

import structlog

from auth.keys_file import PREFIX, Key, KeysFile, find
from captions.access import Principal
from captions.errors import SetupError, Unauthorized
from captions.limits import Allowance
from captions.ports.clock import Clock

logger = structlog.get_logger(__name__)

READ_INTERVAL = 1.0
"""Seconds between two looks at whether the file has changed."""


class ApiKeys:
    """The keys of a file. If a changed file cannot be read, the error is logged and the previous keys stay in effect.

    Raises ``SetupError`` if the file cannot be read at the start.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = KeysFile(path)
        self._clock = clock
        self._seen = self._stamp()
        self._looked = clock.monotonic()
        self._keys = self._file.read()

    @property
    def signing_secret(self) -> str:
        """The secret that signs short-lived tokens."""
        self._refresh()
        return self._keys.signing_secret

    def principal_of(self, token: str) -> Principal | None:
        """The principal of a key, or None if ``token`` does not look like a key.

        Raises ``Unauthorized`` for a key that is unknown, revoked or expired.
        """
        if not token.startswith(PREFIX):
            return None
        self._refresh()
        key = find(self._keys, token)
        if key is None or not key.matches(token):
            raise Unauthorized("this key is unknown; ask the operator for a valid one")
        self._check(key)
        return key.principal()

    def revoked(self, credential: str) -> bool:
        """Whether the key with this id was revoked or is gone."""
        self._refresh()
        key = find(self._keys, credential)
        return key is None or key.revoked_at is not None

    def limits_of(self, credential: str) -> Allowance | None:
        """The own limits of the key with this id; None if it has none."""
        key = find(self._keys, credential)
        return None if key is None else key.limits

    def _check(self, key: Key) -> None:
        state = key.state(self._clock.wall())
        if state != "active":
            raise Unauthorized(f"this key is {state}; ask the operator for another one")

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked < READ_INTERVAL:
            return
        self._looked = now
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._keys = self._file.read()
        except SetupError as error:
            logger.error("keys_file_not_read", error=str(error))  # noqa: TRY400 - the message says it all
        else:
            logger.info("keys_file_read", keys=len(self._keys.keys))

    def _stamp(self) -> tuple[int, int, int] | None:
        """A value that changes with the file; None if it does not exist."""
        try:
            status = self._file.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size
