"""What a key, a tenant and an address may use, and the arithmetic of rates. The time is always an argument."""

from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

BURST = 30.0
"""A rate may be exceeded until the excess is what it allows in so many seconds: clients reconnect all at once."""


class Scope(StrEnum):
    """What a limit counts together."""

    KEY = "key"
    TENANT = "tenant"
    ADDRESS = "address"


class Limit(StrEnum):
    """A thing that is limited. The names are those of the fields of ``Allowance``."""

    SESSIONS = "sessions"
    VIEWERS = "viewers"
    ROOMS = "rooms"
    CONNECTIONS = "connections"
    MESSAGES = "messages"
    SPEED = "speed"
    MINUTES = "minutes"


class Account(NamedTuple):
    """One key, tenant or address."""

    scope: Scope
    id: str

    @property
    def key(self) -> str:
        """The account as one word, for example ``key:3f9a``."""
        return f"{self.scope}:{self.id}"

    def __str__(self) -> str:
        """The account in words, for its own clients. Keys and addresses are not repeated."""
        return f"tenant {self.id}" if self.scope is Scope.TENANT else f"this {self.scope}"


def _real_time(speed: float) -> float:
    if 0 < speed < 1:
        raise ValueError("has to be 1 or more, because audio that is spoken now could not be sent otherwise")
    return speed


Amount = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Speed = Annotated[Rate, AfterValidator(_real_time)]


class Allowance(BaseModel):
    """What one account may use. 0 means no limit.

    ``sessions``, ``viewers`` and ``rooms`` are numbers at a time: publishers, viewers, and rooms with a publisher.
    ``connections`` and ``messages`` are numbers a second, with a burst of ``BURST`` seconds. ``speed`` is how many
    seconds of audio each session may send a second. ``minutes`` is audio in a calendar month (UTC).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sessions: Amount = 0
    viewers: Amount = 0
    rooms: Amount = 0
    connections: Rate = 0.0
    messages: Rate = 0.0
    speed: Speed = 0.0
    minutes: Rate = 0.0

    def changed_by(self, own: "Allowance | None") -> "Allowance":
        """This allowance with the fields that ``own`` sets, even if it sets them to 0."""
        return self if own is None else self.model_copy(update=own.model_dump())

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is not set stays so in a file: a 0 would lift the limit."""
        return {name: value for name, value in serialise(self).items() if name in self.model_fields_set}


class TokenBucket:
    """Limits a rate: ``rate`` tokens arrive each second, and at most ``burst`` are kept. It begins full.

    ``now`` is monotonic seconds; an earlier time than before counts as no time.
    """

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> float:
        """Take a token and return 0. If there is none, return the seconds until there is one."""
        self._fill(now)
        if self._tokens < 1:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return 0.0

    def spend(self, now: float, tokens: float = 1.0) -> float:
        """Take ``tokens``, even those that have not arrived yet. Returns ``debt`` afterwards."""
        self._fill(now)
        self._tokens -= tokens
        return self.debt(now)

    def debt(self, now: float) -> float:
        """The seconds until all tokens that were spent have arrived; 0 if they have."""
        if self._tokens >= 0:
            return 0.0
        self._fill(now)
        return max(0.0, -self._tokens / self.rate)

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now


def bucket_of(rate: float, now: float) -> TokenBucket:
    """A bucket for connections or messages. It lets at least one through at once."""
    return TokenBucket(rate, max(1.0, rate * BURST), now)
