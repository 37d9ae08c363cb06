"""The UsageLedger port: the audio that accounts have sent this month."""

from typing import Protocol


class UsageLedger(Protocol):
    """Counts seconds of audio by account and calendar month (UTC). Accounts are ``captions.limits.Account.key``.

    Both methods are quick: they do no I/O that waits. ``tests/streamer/usage_contract.py`` tests what adapters promise.
    """

    def used(self, account: str) -> float:
        """Seconds of audio of this month that are known here."""
        ...

    def add(self, account: str, seconds: float) -> None:
        """Count audio of now. It is made durable, and known elsewhere, a few seconds later."""
        ...
