"""The public keys of a token issuer: a JSON Web Key Set (RFC 7517), from an address or a file."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from auth.fetching import fetch
from captions.errors import Internal, SetupError
from captions.ports.clock import Clock

logger = structlog.get_logger(__name__)

# all in seconds
LIFETIME = 300.0
"""After this time keys are fetched again, and keys that the issuer withdrew are no longer accepted. While it cannot be
reached, the known keys stay in use."""
WITHDRAWN = LIFETIME + 60.0
"""After this time nobody is let in before the keys were fetched, or could not be."""
RETRY = 30.0
"""Least time between two fetches that somebody waits for while the issuer cannot be reached."""
COOLDOWN = 10.0
"""Least time between two fetches, so that tokens with made-up key ids cause no storm."""

_PEM = "-----BEGIN"


class JwksKeys:
    """The keys of an issuer. ``source`` is an ``http(s)`` address, or a file with a key set or one key in PEM.

    Raises ``SetupError`` if it is a file that cannot be read. An address is fetched when it is first needed.
    """

    def __init__(self, source: str, clock: Clock, client: httpx.AsyncClient | None = None) -> None:
        self._source = source
        self._clock = clock
        self._client = client
        self._keys: Sequence[Key] = ()
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None
        if not self._is_address:
            self._keys = read_keys(source)
            self._fetched_at = self._tried_at = clock.monotonic()

    @property
    def _is_address(self) -> bool:
        return self._source.startswith(("http://", "https://"))

    async def find(self, key_id: str | None) -> Sequence[Key]:
        """The keys that a token with this ``kid`` may be signed with; all of them for a token without one.

        Raises ``Internal`` if the keys have never been fetched and cannot be fetched now.
        """
        now = self._clock.monotonic()
        if self._fetched_at is None or (now - self._fetched_at > WITHDRAWN and now - (self._tried_at or 0.0) > RETRY):
            await self._refresh()
        elif now - self._fetched_at > LIFETIME and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._refresh(), name="renew the issuer's keys")  # nobody waits for it
        found = self._matching(key_id)
        if not found:  # the issuer may have a new key
            await self._refresh()
            found = self._matching(key_id)
        if not found and self._fetched_at is None:
            raise Internal("the keys that tokens are signed with cannot be fetched; try again later", retry_after=5)
        return found

    def _matching(self, key_id: str | None) -> Sequence[Key]:
        return [key for key in self._keys if key_id is None or key.kid is None or key.kid == key_id]

    async def _refresh(self) -> None:
        async with self._fetching:  # those who wait take what the first one fetched
            now = self._clock.monotonic()
            if self._tried_at is not None and now - self._tried_at < COOLDOWN:
                return
            self._tried_at = now
            try:
                self._keys = (
                    await self._fetch() if self._is_address else await asyncio.to_thread(read_keys, self._source)
                )
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, SetupError) as error:
                logger.error("jwks_not_read", source=self._source, error=str(error) or type(error).__name__)  # noqa: TRY400 - the message says it all
            else:
                self._fetched_at = self._clock.monotonic()

    async def _fetch(self) -> Sequence[Key]:
        response = await fetch(self._client, "GET", self._source)
        response.raise_for_status()
        return parse_keys(response.content.decode(errors="replace"))


def read_keys(path: str) -> Sequence[Key]:
    """The keys in a file. Raises ``SetupError``."""
    try:
        return parse_keys(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"cannot read the key set {path}: {error.strerror}") from error
    except (SetupError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}") from error


def parse_keys(text: str) -> Sequence[Key]:
    """The keys of a JSON Web Key Set, or the one key in PEM, that can verify signatures. Raises ``SetupError``.

    Secret keys are left out: whoever can read a public set could sign with them.
    """
    try:
        if _PEM in text:
            keys: list[Key] = [_from_pem(text)]
        else:
            content = json.loads(text)
            keys = list(KeySet.import_key_set(content).keys)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SetupError(f"not a JSON Web Key Set or a public key in PEM: {error}") from error
    usable = [key for key in keys if isinstance(key, RSAKey | ECKey | OKPKey) and key.get("use", "sig") == "sig"]
    if not usable:
        raise SetupError("no key that verifies RS256, ES256 or EdDSA signatures")
    return usable


def _from_pem(text: str) -> Key:
    kinds: Sequence[type[RSAKey | ECKey | OKPKey]] = (RSAKey, ECKey, OKPKey)
    for kind in kinds:
        try:
            return kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
    raise SetupError("a key of an unknown type")
