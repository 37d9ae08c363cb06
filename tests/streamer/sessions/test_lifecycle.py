"""The session's state machine, with events in every order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamer.sessions.lifecycle import (
    TAKES_AUDIO,
    TRANSITIONS,
    WRITTEN,
    Event,
    ImpossibleTransitionError,
    State,
    after,
)

STOPS = {Event.FINISH, Event.MOVE, Event.FAIL}
EVENTS = st.lists(st.sampled_from(Event), max_size=30)


def possible(state: State) -> set[Event]:
    return set(TRANSITIONS[state])


def history(events: list[Event]) -> list[tuple[State, Event, State]]:
    """The transitions of a new session. Impossible events are skipped."""
    state, steps = State.FED, []
    for event in events:
        if event in possible(state):
            steps.append((state, event, after(state, event)))
            state = steps[-1][2]
    return steps


class Life(RuleBasedStateMachine):
    """A session that gets any event at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.FED
        self.stopped = self.gone = False

    @rule(event=st.sampled_from(Event))
    def happen(self, event: Event) -> None:
        before = self.state
        if event not in possible(before):
            with pytest.raises(ImpossibleTransitionError, match=f"{event.name} .* {before.name}"):
                after(before, event)
            return
        self.state = after(before, event)
        self.stopped = self.stopped or event in STOPS
        self.gone = self.gone or event is Event.RELEASE
        if event is Event.WRITTEN and before is not State.GONE:
            assert before in {State.FINISHING, State.MOVING}

    @precondition(lambda self: self.state in TAKES_AUDIO)
    @rule(event=st.sampled_from(sorted(STOPS, key=lambda event: event.name)))
    def stop(self, event: Event) -> None:
        self.happen(event)
        assert self.state in {State.FINISHING, State.MOVING}

    @precondition(lambda self: self.state in {State.FINISHING, State.MOVING})
    @rule()
    def write(self) -> None:
        self.happen(Event.WRITTEN)
        assert self.state in WRITTEN

    @invariant()
    def takes_no_audio_once_stopped(self) -> None:
        if self.stopped:
            assert self.state not in TAKES_AUDIO

    @invariant()
    def stays_gone(self) -> None:
        assert (self.state is State.GONE) == self.gone

    @invariant()
    def can_be_released(self) -> None:
        assert after(self.state, Event.RELEASE) is State.GONE

    @invariant()
    def can_come_to_its_end(self) -> None:
        state = self.state
        if state in TAKES_AUDIO:
            state = after(state, Event.FINISH)
        if state not in WRITTEN:
            state = after(state, Event.WRITTEN)
        assert state in WRITTEN
        assert after(state, Event.RELEASE) is State.GONE


TestLife = Life.TestCase


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_an_event_leads_where_the_table_says_or_raises(state: State, event: Event) -> None:
    if event in possible(state):
        assert after(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(ImpossibleTransitionError, match=f"{event.name} cannot happen .* {state.name}"):
            after(state, event)


@pytest.mark.parametrize("state", State)
def test_release_leads_from_every_state_to_gone(state: State) -> None:
    assert after(state, Event.RELEASE) is State.GONE


def test_gone_is_final() -> None:
    assert set(TRANSITIONS[State.GONE].values()) == {State.GONE}
    assert Event.RESUMED not in possible(State.GONE)


def test_only_release_leads_to_gone() -> None:
    into = {event for state, row in TRANSITIONS.items() for event, to in row.items() if to is State.GONE is not state}
    assert into == {Event.RELEASE}


def test_only_what_is_being_written_comes_to_be_written() -> None:
    into = {
        (state, event, to)
        for state, row in TRANSITIONS.items()
        for event, to in row.items()
        if to in {State.FINISHED, State.MOVED} and state not in WRITTEN
    }
    assert into == {
        (State.FINISHING, Event.WRITTEN, State.FINISHED),
        (State.MOVING, Event.WRITTEN, State.MOVED),
    }


def test_no_state_that_takes_audio_follows_one_that_takes_none() -> None:
    for state in set(State) - TAKES_AUDIO:
        assert not TAKES_AUDIO & set(TRANSITIONS[state].values()), state


@given(EVENTS)
def test_after_a_stop_no_state_takes_audio_and_no_resume_is_possible(events: list[Event]) -> None:
    stopped = False
    for _, event, state in history(events):
        stopped = stopped or event in STOPS
        if stopped:
            assert state not in TAKES_AUDIO
            assert Event.RESUMED not in possible(state)


@given(EVENTS)
def test_a_session_moves_only_if_it_did_not_fail_and_nobody_ended_it_before(events: list[Event]) -> None:
    steps = history(events)
    if steps and steps[-1][2] is State.MOVED:
        first = next(event for _, event, _ in steps if event in STOPS)
        assert first is Event.MOVE
        written = next(at for at, (_, event, _) in enumerate(steps) if event is Event.WRITTEN)
        assert Event.FAIL not in {event for _, event, _ in steps[:written]}


@given(EVENTS)
def test_what_is_written_stays_so(events: list[Event]) -> None:
    written = False
    for _, _, state in history(events):
        written = written or state in WRITTEN
        assert not written or state in WRITTEN
