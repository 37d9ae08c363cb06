"""The state machine of a session at one gateway: states, events and one table of transitions.

As in h11, an event that is not in the table for a state is a bug in this program, and raises.
"""

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """The state of a session at this gateway."""

    FED = auto()
    """A connection feeds it."""
    AWAY = auto()
    """No connection feeds it. Its publisher may resume it."""
    FINISHING = auto()
    """It takes no more audio. The audio that it took is written to the log, and its open utterance ends."""
    MOVING = auto()
    """It takes no more audio. The audio that it took is written to the log, and its open utterance stays open."""
    FINISHED = auto()
    """All its audio is on the log. Its last captions may still be missing."""
    MOVED = auto()
    """All its audio is on the log. Another gateway may continue it."""
    GONE = auto()
    """This gateway no longer holds it."""


class Event(Enum):
    """An event in the life of a session."""

    RESUMED = auto()
    """A new connection feeds it."""
    LOST = auto()
    """The connection that fed it was closed or lost."""
    FINISH = auto()
    """Its publisher ended it or did not resume it in time, or another publisher took its track over."""
    MOVE = auto()
    """This gateway is stopping, and another one can continue the session."""
    FAIL = auto()
    """Its audio could not be decoded or written to the log."""
    WRITTEN = auto()
    """All its audio is on the log."""
    RELEASE = auto()
    """It ended at this gateway, or another gateway holds it."""


TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.FED: {
        Event.RESUMED: State.FED,
        Event.LOST: State.AWAY,
        Event.FINISH: State.FINISHING,
        Event.MOVE: State.MOVING,
        Event.FAIL: State.FINISHING,
        Event.RELEASE: State.GONE,
    },
    State.AWAY: {
        Event.RESUMED: State.FED,
        Event.FINISH: State.FINISHING,
        Event.MOVE: State.MOVING,
        Event.FAIL: State.FINISHING,
        Event.RELEASE: State.GONE,
    },
    State.FINISHING: {
        Event.LOST: State.FINISHING,
        Event.FINISH: State.FINISHING,
        Event.MOVE: State.FINISHING,
        Event.FAIL: State.FINISHING,
        Event.WRITTEN: State.FINISHED,
        Event.RELEASE: State.GONE,
    },
    State.MOVING: {
        Event.LOST: State.MOVING,
        Event.FINISH: State.MOVING,
        Event.MOVE: State.MOVING,
        Event.FAIL: State.FINISHING,
        Event.WRITTEN: State.MOVED,
        Event.RELEASE: State.GONE,
    },
    State.FINISHED: {
        Event.LOST: State.FINISHED,
        Event.FINISH: State.FINISHED,
        Event.MOVE: State.FINISHED,
        Event.RELEASE: State.GONE,
    },
    State.MOVED: {
        Event.LOST: State.MOVED,
        Event.FINISH: State.MOVED,
        Event.MOVE: State.MOVED,
        Event.RELEASE: State.GONE,
    },
    State.GONE: {
        Event.LOST: State.GONE,
        Event.FINISH: State.GONE,
        Event.MOVE: State.GONE,
        Event.FAIL: State.GONE,
        Event.WRITTEN: State.GONE,
        Event.RELEASE: State.GONE,
    },
}

TAKES_AUDIO = frozenset({State.FED, State.AWAY})
"""Includes AWAY: a frame of the lost connection may still be on its way to the decoder."""

WRITTEN = frozenset({State.FINISHED, State.MOVED, State.GONE})
"""No more audio is written to the log, only the mark that ends the session."""


class ImpossibleTransitionError(RuntimeError):
    """An event that is not possible in a state: a bug in this program."""


def after(state: State, event: Event) -> State:
    """The state that follows ``state`` on ``event``. Raises ``ImpossibleTransitionError``."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise ImpossibleTransitionError(f"{event.name} cannot happen to a session that is {state.name}") from None
