"""What the keys, tenants and addresses of this gateway's clients use, held against what they may."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from captions.access import Principal
from captions.errors import QuotaExceeded, Refusal, TooMany
from captions.limits import Account, Allowance, Limit, Scope, TokenBucket, bucket_of
from captions.ports.clock import Clock
from captions.ports.probe import Probe
from captions.ports.usage import UsageLedger
from captions.track import RoomId, TrackId
from captions.usage import rest_of_month
from streamer.settings import GatewaySettings

MOST_BUCKETS = 20_000
"""Accounts whose rates are remembered: 5 MB. The one that was quiet the longest is forgotten first."""

FRAMES = "frames"
"""Messages with audio."""

MINUTE = 60.0


class Caller(NamedTuple):
    """The accounts of one client, each with what it may use. Empty for a client that nothing limits."""

    accounts: tuple[tuple[Account, Allowance], ...] = ()


Rates = tuple[tuple[Account, TokenBucket], ...]


class Meter:
    """What a session sends, and when it has to wait.

    Audio that comes too fast is read later, so nothing is lost. Commands that come too fast are refused. Both may come
    at the same rate, but are counted apart: an ``end`` after much audio is not refused.
    """

    __slots__ = ("_billed", "_clock", "_commands", "_frames", "_ledger", "_pace", "_probe", "_slowed", "caller")

    def __init__(
        self,
        caller: Caller,
        clock: Clock,
        probe: Probe,
        ledger: UsageLedger,
        *,
        pace: tuple[Account, TokenBucket] | None = None,
        frames: Rates = (),
        commands: Rates = (),
    ) -> None:
        self.caller = caller
        self._clock = clock
        self._probe = probe
        self._ledger = ledger
        self._pace = pace
        self._frames = frames
        self._commands = commands
        self._billed = tuple(account.key for account, _ in caller.accounts if account.scope is not Scope.ADDRESS)
        self._slowed = False

    def heard(self, seconds: float) -> None:
        """Count audio that was decoded."""
        for account in self._billed:
            self._ledger.add(account, seconds)
        if self._pace is not None:
            self._pace[1].spend(self._clock.monotonic(), seconds)

    def audio(self) -> float:
        """Count a message with audio. Returns the seconds to wait before it is taken."""
        if self._pace is None and not self._frames:
            return 0.0
        now = self._clock.monotonic()
        wait, slowed_by = (0.0, None) if self._pace is None else (self._pace[1].debt(now), self._pace[0])
        for account, bucket in self._frames:
            if (debt := bucket.spend(now)) > wait:
                wait, slowed_by = debt, account
        if wait and slowed_by is not None and not self._slowed:
            self._slowed = True
            self._probe.limited(Limit.SPEED, slowed_by.scope)
        return wait

    def command(self) -> None:
        """Count a message without audio. Raises ``TooMany``."""
        for account, bucket in self._commands:
            if wait := bucket.take(self._clock.monotonic()):
                raise _refused(self._probe, account, Limit.MESSAGES, _too_fast(account, "messages", bucket), wait)


class Limits:
    """The limits of keys, tenants and addresses at this gateway. ``ledger`` alone counts for all gateways."""

    def __init__(self, settings: GatewaySettings, clock: Clock, probe: Probe, ledger: UsageLedger) -> None:
        self._settings = settings
        self._clock = clock
        self._probe = probe
        self._ledger = ledger
        self._buckets: dict[tuple[str, Account], TokenBucket] = {}
        self._viewers: Counter[Account] = Counter()

    def caller(self, principal: Principal, address: str) -> Caller:
        """The accounts of a client with this principal at this address."""
        settings = self._settings
        accounts = [(Account(Scope.ADDRESS, address), settings.address_limits)]
        if principal.tenant is not None:
            accounts.insert(0, (Account(Scope.TENANT, principal.tenant), settings.tenant_limits))
        if principal.credential is not None:
            own = settings.key_limits.changed_by(principal.limits)
            accounts.insert(0, (Account(Scope.KEY, principal.credential), own))
        return Caller(tuple(accounts))

    def knock(self, address: str) -> None:
        """Count a request from this address, before it is known whose it is. Raises ``TooMany``."""
        self._connect(Account(Scope.ADDRESS, address), self._settings.address_limits)

    def enter(self, caller: Caller) -> None:
        """Count a request with its key and tenant. Raises ``TooMany``."""
        for account, allowance in caller.accounts:
            if account.scope is not Scope.ADDRESS:
                self._connect(account, allowance)

    def _connect(self, account: Account, allowance: Allowance) -> None:
        if not allowance.connections:
            return
        bucket = self._bucket(Limit.CONNECTIONS, account, allowance.connections)
        if wait := bucket.take(self._clock.monotonic()):
            raise _refused(self._probe, account, Limit.CONNECTIONS, _too_fast(account, "requests", bucket), wait)

    def check_session(self, caller: Caller, track: TrackId, held: Iterable[tuple[TrackId, Caller]]) -> None:
        """Check that ``caller`` may have a session on ``track`` beside the sessions that are ``held`` here.

        Raises ``TooMany``.
        """
        others = [(other, place) for place, other in held if place != track]
        for account, allowance in caller.accounts:
            if not allowance.sessions and not allowance.rooms:
                continue
            tracks = [place for other, place in others if any(account == held for held, _ in other.accounts)]
            if allowance.sessions and len(tracks) >= allowance.sessions:
                text = f"{account} has reached its limit of sessions, {allowance.sessions}; end one, or try again later"
                raise _refused(self._probe, account, Limit.SESSIONS, text)
            rooms: set[RoomId] = {place.room for place in tracks}
            if allowance.rooms and track.room not in rooms and len(rooms) >= allowance.rooms:
                text = f"{account} has reached its limit of rooms, {allowance.rooms}; end a session, or try again later"
                raise _refused(self._probe, account, Limit.ROOMS, text)

    def check_quota(self, caller: Caller) -> None:
        """Check that ``caller`` may send audio this month. Raises ``QuotaExceeded``."""
        for account, allowance in caller.accounts:
            if allowance.minutes and self._ledger.used(account.key) >= allowance.minutes * MINUTE:
                self._probe.limited(Limit.MINUTES, account.scope)
                raise QuotaExceeded(
                    f"{account} has sent its {allowance.minutes:g} minutes of audio of this month; "
                    "wait for the next month (UTC), or ask the operator for more",
                    retry_after=math.ceil(rest_of_month(self._clock.wall())),
                )

    def check_viewer(self, caller: Caller) -> None:
        """Check that ``caller`` may connect one more viewer. Raises ``TooMany``."""
        for account, allowance in caller.accounts:
            if allowance.viewers and self._viewers[account] >= allowance.viewers:
                text = f"{account} has reached its limit of viewers, {allowance.viewers}; try again later"
                raise _refused(self._probe, account, Limit.VIEWERS, text)

    @contextmanager
    def viewing(self, caller: Caller) -> Iterator[None]:
        """Count a viewer while the context lasts. Raises ``TooMany``."""
        self.check_viewer(caller)
        accounts = [account for account, allowance in caller.accounts if allowance.viewers]
        self._viewers.update(accounts)
        try:
            yield
        finally:
            self._viewers.subtract(accounts)
            for account in accounts:
                if not self._viewers[account]:
                    del self._viewers[account]

    def meter(self, caller: Caller) -> Meter:
        """The meter of a session that begins or continues here. Its burst of audio is whole."""
        paced = [(account, allowance.speed) for account, allowance in caller.accounts if allowance.speed]
        pace = None
        if paced:
            account, speed = min(paced, key=lambda candidate: candidate[1])
            pace = account, TokenBucket(speed, self._settings.audio_burst, self._clock.monotonic())
        frames, commands = self._rates(FRAMES, caller), self._rates(Limit.MESSAGES, caller)
        return Meter(caller, self._clock, self._probe, self._ledger, pace=pace, frames=frames, commands=commands)

    def messages(self, caller: Caller) -> Meter:
        """The meter of a viewer, whose messages count although they say nothing."""
        commands = self._rates(Limit.MESSAGES, caller)
        return Meter(caller, self._clock, self._probe, self._ledger, commands=commands)

    def _rates(self, what: str, caller: Caller) -> Rates:
        limited = [(account, allowance.messages) for account, allowance in caller.accounts if allowance.messages]
        return tuple((account, self._bucket(what, account, rate)) for account, rate in limited)

    def _bucket(self, what: str, account: Account, rate: float) -> TokenBucket:
        """The bucket of an account; a new one if its rate has changed."""
        bucket = self._buckets.pop((what, account), None)
        if bucket is None or bucket.rate != rate:
            bucket = bucket_of(rate, self._clock.monotonic())
        self._buckets[what, account] = bucket  # the last place: it was used last
        if len(self._buckets) > MOST_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        return bucket


def _too_fast(account: Account, what: str, bucket: TokenBucket) -> str:
    return f"{account} is over its limit of {what} a second, {bucket.rate:g}; send fewer"


def _refused(probe: Probe, account: Account, limit: Limit, message: str, wait: float | None = None) -> Refusal:
    """Report the refusal and return it. ``wait`` is in seconds; None means ``TooMany``'s own."""
    probe.limited(limit, account.scope)
    return TooMany(message, retry_after=None if wait is None else max(1, math.ceil(wait)))
