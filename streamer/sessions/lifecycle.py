"""A session's life at one gateway: its states, what happens to it, and one table of what follows from what.

In the manner of h11: whatever is not in the table is a mistake of ours and raises.
"""

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """Where a session is in its life."""

    FED = auto()
    """A connection feeds it."""
    AWAY = auto()
    """Its connection was lost; its publisher may resume it."""
    FINISHING = auto()
    """It takes no more audio; what it took goes onto the log, and the utterance in progress is ended."""
    MOVING = auto()
    """It takes no more audio; what it took goes onto the log, and the utterance in progress stays open."""
    FINISHED = auto()
    """All its audio is on the log; its last captions may be awaited."""
    MOVED = auto()
    """All its audio is on the log; another gateway may go on with it."""
    GONE = auto()
    """It is not held here any more."""


class Event(Enum):
    """What happens to a session."""

    RESUMED = auto()
    """A connection feeds it from now on."""
    LOST = auto()
    """The connection that fed it was lost."""
    FINISH = auto()
    """Its publisher ended it or did not come back, or another publisher took its track."""
    MOVE = auto()
    """This gateway stops, and another can go on with it."""
    FAIL = auto()
    """Its audio cannot be read or kept."""
    WRITTEN = auto()
    """All its audio is on the log."""
    RELEASE = auto()
    """It ended here, or another gateway holds it."""


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
        Event.RELEASE: State.GONE,
    },
    State.GONE: {
        Event.LOST: State.GONE,
        Event.FINISH: State.GONE,
        Event.FAIL: State.GONE,
        Event.WRITTEN: State.GONE,
        Event.RELEASE: State.GONE,
    },
}

TAKES_AUDIO = frozenset({State.FED, State.AWAY})
"""A connection that was lost may still have a frame on its way to the decoder."""

WRITTEN = frozenset({State.FINISHED, State.MOVED, State.GONE})
"""Nothing more of it goes onto the log, except that it ended."""


class ImpossibleTransitionError(RuntimeError):
    """An event that cannot happen in a state: a mistake in this program."""


def after(state: State, event: Event) -> State:
    """The state that follows. Raises ``ImpossibleTransitionError``."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise ImpossibleTransitionError(f"{event.name} cannot happen to a session that is {state.name}") from None
