"""What every durable UsageLedger promises, as tests: a subclass says how one is opened, again and again."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest

from captions.ports.usage import UsageLedger

CHRISTMAS = datetime(2026, 12, 25, tzinfo=UTC).timestamp()


class Calendar:
    """A clock whose date a test sets."""

    def __init__(self) -> None:
        self.now = CHRISTMAS

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


class UsageContract:
    """``open`` returns the same ledger each time, as a process finds it that starts."""

    @pytest.fixture(autouse=True)
    def begin(self) -> None:
        self.calendar = Calendar()

    def open(self) -> AbstractAsyncContextManager[UsageLedger]:
        raise NotImplementedError

    async def test_audio_is_counted_at_once_and_by_account(self) -> None:
        async with self.open() as usage:
            assert usage.used("key:a") == 0
            usage.add("key:a", 1.5)
            usage.add("key:a", 2)
            usage.add("tenant:a", 4)
            assert (usage.used("key:a"), usage.used("tenant:a"), usage.used("key:b")) == (3.5, 4, 0)

    async def test_a_process_that_starts_finds_what_others_counted_before(self) -> None:
        for _ in range(3):
            async with self.open() as usage:
                usage.add("key:a", 10)
        async with self.open() as usage:
            assert usage.used("key:a") == 30

    async def test_a_month_begins_at_nothing_and_does_not_bring_the_last_one_back(self) -> None:
        async with self.open() as usage:
            usage.add("key:a", 10)
            self.calendar.now += 10 * 86400
            assert usage.used("key:a") == 0
            usage.add("key:a", 1)
        async with self.open() as usage:
            assert usage.used("key:a") == 1

    async def test_accounts_may_have_any_name(self) -> None:
        names = ["key:a/b/c", "tenant:Zürich 🎤", "key:", "key:" + "x" * 500]
        async with self.open() as usage:
            for name in names:
                usage.add(name, 1)
        async with self.open() as usage:
            assert [usage.used(name) for name in names] == [1, 1, 1, 1]
