"""Adapters of the Glossaries port: within one process, and over the log, where all gateways share them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache

import structlog

from captions.errors import Changed, LogError, RecordError, TooLarge
from captions.glossary_records import read_glossary, replaced_by, version_of, write_glossary
from captions.ports.glossaries import Kept
from captions.ports.log import Entry, Log, Record
from captions.records import GLOSSARIES
from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import Term

logger = structlog.get_logger(__name__)

MOST_BYTES_OF_TENANT = 2 * 2**20
"""Bytes of all glossaries of one tenant, as they are written: a hundred rooms with a thousand names each."""

READ_TIMEOUT = 30.0
"""Seconds that a start waits for the glossaries on the log."""

WRITE_TIMEOUT = 10.0
"""Seconds that a change waits until it is read back."""

RETRY_PAUSE = 5.0
ATTEMPTS = 10
"""How often a change is tried that others get ahead of."""
REMEMBERED = 1000
"""Refused records that are remembered until who wrote them asks."""


@lru_cache(maxsize=256)
def _kept(value: bytes) -> Kept:
    """What a record's value holds. Values are kept as bytes, and read where they are used: terms take much more.

    Raises ``RecordError``.
    """
    return Kept(read_glossary(value), version_of(value))


class GlossariesHere:
    """Glossaries of this process alone."""

    def __init__(self) -> None:
        self._values: dict[Owner, bytes] = {}

    def of(self, owner: Owner) -> Kept:
        """The glossary as it is known here."""
        return _kept(self._values.get(owner, b""))

    async def put(self, owner: Owner, terms: tuple[Term, ...], replaces: str | None = None) -> Kept:
        """Replace the terms. Raises ``Changed``, ``TooLarge`` and ``LogError``."""
        standing = self.of(owner)
        if replaces is not None and replaces != standing.version:
            raise changed()
        return await self._write(owner, standing.glossary.edited(terms), replaces)

    async def add(self, owner: Owner, terms: tuple[Term, ...], source: str) -> Kept:
        """Add terms that were learnt from ``source``. Raises ``TooLarge`` and ``LogError``."""
        for _ in range(ATTEMPTS - 1):
            standing = self.of(owner)
            try:
                return await self._write(owner, standing.glossary.with_learnt(terms, source), standing.version)
            except Changed:
                continue
        standing = self.of(owner)
        return await self._write(owner, standing.glossary.with_learnt(terms, source), standing.version)

    async def _write(self, owner: Owner, glossary: StoredGlossary, replaces: str | None) -> Kept:
        record = write_glossary(owner, glossary, replaces)
        tenants = {other: len(value) for other, value in self._values.items() if other.tenant == owner.tenant}
        if record.value and sum((tenants | {owner: len(record.value)}).values()) > MOST_BYTES_OF_TENANT:
            raise TooLarge(
                f"the glossaries of all rooms together would take more than {MOST_BYTES_OF_TENANT} bytes; "
                "delete some that are not needed any more"
            )
        await self._store(owner, record)
        return self.of(owner)

    async def _store(self, owner: Owner, record: Record) -> None:
        self._apply(owner, record)

    def _apply(self, owner: Owner, record: Record) -> bool:
        """Apply a record, in the order of the log. Returns whether it counts."""
        standing = self._values.get(owner)
        replaces = replaced_by(record)
        # of a glossary that is not there, the log may have dropped the records before this one
        if standing is not None and replaces is not None and replaces != version_of(standing):
            return False
        if record.value:
            self._values[owner] = record.value
        else:
            self._values.pop(owner, None)
        return True


class GlossariesOnLog(GlossariesHere):
    """Glossaries on topic ``glossaries``, which every gateway writes and reads."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self._next = 0
        self._refused: deque[int] = deque(maxlen=REMEMBERED)
        self._progress = asyncio.Event()
        self._caught_up = asyncio.Event()

    async def _store(self, owner: Owner, record: Record) -> None:
        """Write the record, and read it back. Raises ``Changed`` if another came first, and ``LogError``."""
        offset = await self._append(record)
        if offset in self._refused:
            await self._restore(owner)
            raise changed()
        await self._log.erase(GLOSSARIES, 0, offset, lambda key: key == owner.key)

    async def _restore(self, owner: Owner) -> None:
        """Write what stands again. A compaction keeps only the last record of a key, and the last one was refused."""
        for _ in range(ATTEMPTS):
            standing = self._values.get(owner, b"")
            glossary = read_glossary(standing)
            if await self._append(write_glossary(owner, glossary, version_of(standing))) not in self._refused:
                return
        raise LogError(f"the glossary {owner.key} is changed by others all the time")

    async def _append(self, record: Record) -> int:
        """Append a record, wait until it is read back, and return its offset."""
        offset = await self._log.append(GLOSSARIES, record)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                while self._next <= offset:
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError as error:
            raise LogError(f"the log does not give topic {GLOSSARIES!r} back") from error
        return offset

    async def caught_up(self) -> None:
        """Return once everything is read that was written before this gateway began."""
        await self._caught_up.wait()

    async def follow(self) -> None:
        """Read what all gateways write, without end. After an error it goes on where it was."""
        while True:
            try:
                await self._follow()
            except LogError as error:
                logger.warning("glossaries_not_read", error=str(error))
                await asyncio.sleep(RETRY_PAUSE)

    async def _follow(self) -> None:
        bounds = await self._log.bounds(GLOSSARIES, 0)
        start = max(self._next, bounds.earliest)
        if start >= bounds.end:
            self._caught_up.set()
        async with aclosing(self._log.read(GLOSSARIES, 0, start)) as entries:
            async for entry in entries:
                self._read(entry)
                if entry.offset >= bounds.end - 1:
                    self._caught_up.set()

    def _read(self, entry: Entry) -> None:
        try:
            if not entry.record.erased:
                owner = Owner.from_key(entry.record.key)
                _kept(entry.record.value)
                if not self._apply(owner, entry.record):
                    self._refused.append(entry.offset)
        except RecordError as error:
            logger.warning("record_skipped", topic=GLOSSARIES, offset=entry.offset, error=str(error))
        self._next = entry.offset + 1
        self._progress.set()


def changed() -> Changed:
    """The refusal of a change to a glossary that is not the one that was read."""
    return Changed("somebody else has changed these terms; read them again, and repeat your change there")


@asynccontextmanager
async def glossaries_on_log(log: Log) -> AsyncIterator[GlossariesOnLog]:
    """Glossaries that are read while the context lasts.

    If the log does not answer in time, the context begins with what is known: terms must not keep a gateway down.
    """
    glossaries = GlossariesOnLog(log)
    following = asyncio.create_task(glossaries.follow(), name="glossaries")
    try:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await glossaries.caught_up()
        except TimeoutError:
            logger.warning("glossaries_not_read", error=f"the log did not answer within {READ_TIMEOUT:.0f} s")
        yield glossaries
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
