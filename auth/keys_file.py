"""The file of API keys: who holds which, and the secret that signs short-lived tokens.

Keys themselves are not in the file, only their SHA-256. They have 192 random bits, so that a slow hash would add
nothing.
"""

import base64
import contextlib
import errno
import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from captions.access import ROOM_PATTERN, Principal, Right
from captions.errors import SetupError
from captions.explain import explain
from captions.limits import Allowance
from captions.messages import Name

PREFIX = "lck_"
"""Begins every API key, so that people and scanners of leaked secrets know what it is."""

RoomPattern = Annotated[str, Field(pattern=ROOM_PATTERN)]


class Key(BaseModel):
    """An API key as the file keeps it. Times are Unix seconds; ``expires_at`` None means never.

    ``limits`` are the key's own; None means the limits in the settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    sha256: str = Field(min_length=64, max_length=64)
    name: str | None = None
    tenant: Name | None = None
    rooms: tuple[RoomPattern, ...] = ("*",)
    rights: frozenset[Right] = frozenset({Right.PUBLISH, Right.VIEW})
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    limits: Allowance | None = None

    def state(self, now: float) -> str:
        """``active``, ``revoked`` or ``expired`` at ``now``, in Unix seconds."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def matches(self, key: str) -> bool:
        """Whether this is ``key``."""
        return hmac.compare_digest(self.sha256, _digest(key))

    def principal(self) -> Principal:
        """The principal that the key lets in."""
        return Principal(
            rooms=self.rooms,
            rights=self.rights,
            tenant=self.tenant,
            subject=f"key:{self.name or self.id}",
            credential=self.id,
            expires_at=self.expires_at,
            limits=self.limits,
        )


class Keys(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signing_secret: str = Field(min_length=32)
    keys: tuple[Key, ...] = ()


class KeysFile:
    """A file of API keys. Changes are atomic: a reader sees the file before or after one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _target(self) -> Path:
        """The file itself: a link to it stays a link."""
        return self.path.resolve()

    def read(self) -> Keys:
        """The content. Raises ``SetupError`` if the file is missing or not valid."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as error:
            raise SetupError(
                f"there is no keys file {self.path}: create it with its first key, "
                f"livecaptions keys create --keys-file {self.path}"
            ) from error
        except OSError as error:
            raise SetupError(f"cannot read the keys file {self.path}: {error.strerror}") from error
        try:
            return Keys.model_validate_json(content)
        except ValidationError as error:
            raise SetupError(f"the keys file {self.path} is not valid: {explain(error)}") from error

    def create(
        self,
        now: int,
        *,
        rooms: tuple[str, ...],
        rights: frozenset[Right],
        tenant: str | None = None,
        name: str | None = None,
        expires_at: int | None = None,
        limits: Allowance | None = None,
    ) -> tuple[Key, str]:
        """Add a key, and the file if it is missing. Returns the entry, and the key that nobody can read again.

        Raises ``SetupError`` if a value is not valid or the file cannot be written.
        """
        identifier = secrets.token_hex(4)
        secret = f"{PREFIX}{identifier}_{secrets.token_urlsafe(24)}"
        try:
            key = Key(
                id=identifier,
                sha256=_digest(secret),
                name=name,
                tenant=tenant,
                rooms=rooms,
                rights=rights,
                created_at=now,
                expires_at=expires_at,
                limits=limits,
            )
        except ValidationError as error:
            raise SetupError(explain(error)) from error
        with self._locked():
            keys = self.read() if self.path.exists() else Keys(signing_secret=_random_secret())
            self._write(keys.model_copy(update={"keys": (*keys.keys, key)}))
        return key, secret

    def revoke(self, identifier: str, now: int) -> Key:
        """Mark the key with this id, or the key itself, as revoked. Raises ``SetupError`` if there is none."""
        with self._locked():
            keys = self.read()
            if (found := find(keys, identifier)) is None:
                raise SetupError(f"there is no key {identifier} in {self.path}; livecaptions keys list shows them")
            revoked = found.model_copy(update={"revoked_at": found.revoked_at or now})
            self._write(keys.model_copy(update={"keys": tuple(revoked if key is found else key for key in keys.keys)}))
        return revoked

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait for other writers. The lock is a file beside, because the file itself is replaced."""
        try:
            with self._target.with_name(f".{self._target.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            hint = "; change the original that it is made from" if error.errno == errno.EROFS else ""
            raise SetupError(f"cannot write the keys file {self.path}: {error.strerror}{hint}") from error

    def _write(self, keys: Keys) -> None:
        target = self._target
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(keys.model_dump_json(indent=2, exclude_none=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                before = target.stat()  # the server may run as another user, or read it by its group
                if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                    os.chown(temporary, before.st_uid, before.st_gid)
                Path(temporary).chmod(before.st_mode & 0o777)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def find(keys: Keys, identifier: str) -> Key | None:
    """The key with this id, or whose text this is; None if there is none."""
    identifier = identifier.removeprefix(PREFIX).partition("_")[0]
    return next((key for key in keys.keys if key.id == identifier), None)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _random_secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
