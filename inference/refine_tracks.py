"""What waits for its second pass: the windows of each track, and up to where each partition may be committed.

The first utterance of a stretch (``captions.refine_windows``) is finished last, so that a stretch is read again from
its start unless all of it is done. Whoever begins to read within a stretch knows by that: the rest of it is done.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from captions.refine_windows import SILENCE, Span, WindowSettings, begins_stretch, ends_window
from captions.track import TrackId
from inference.utterance import Utterance
from inference.utterances import Tenure

Finish = Callable[[Utterance], None]
"""Called with an utterance that need not be read again."""


@dataclass(eq=False, slots=True)
class Window:
    """Utterances that are decoded together, in order, and the first one of their stretch."""

    stretch: Utterance
    utterances: list[Utterance] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    retry_at: float = 0.0
    """Not before this epoch second."""
    busy: bool = False
    given_up: bool = False
    """It is not decoded: its captions stay as they are, also those of utterances that it still collects."""

    def give_up(self) -> None:
        """Let go of its audio. It ends where it would have ended, so the windows after it are the same."""
        self.given_up = True
        for utterance in self.utterances:
            utterance.drop()

    @property
    def seconds(self) -> float:
        """Seconds of speech, whether or not its audio is still held."""
        return sum(utterance.seconds for utterance in self.utterances)

    @property
    def waits_since(self) -> float:
        """When its first utterance ended, in epoch seconds."""
        return self.spans[0].ended


class Track:
    """The windows of one track while its partition is owned."""

    def __init__(self, partition: int, tenure: Tenure, settings: WindowSettings, finish: Finish) -> None:
        self.partition = partition
        self.tenure = tenure
        self.collecting: Window | None = None
        """The window that may still grow."""
        self.ready: list[Window] = []
        """Windows that are over, in order. The first one may be at work."""
        self._settings = settings
        self._finish = finish
        self.idle = False
        """Whether it may be forgotten: all of it is done, and what comes next begins a stretch."""
        self.growing: Utterance | None = None
        """The utterance that is spoken."""
        self._last: Span | None = None
        self._stretches: list[Utterance] = []

    def see(self, utterances: Iterable[Utterance]) -> None:
        """Take what ended of the track's open utterances, which come in order."""
        heard = list(utterances)
        self._finish_returned(heard)
        fresh = [u for u in heard if self._last is None or u.id.utterance > self._last.number]
        self.growing = None
        for utterance, following in zip(fresh, [*fresh[1:], None], strict=False):
            span = span_of(utterance)
            if utterance.complete and utterance.ended_on_the_log:
                self._take(utterance, span)
            elif utterance.complete or following is not None:  # its end never came: it keeps its live caption
                self._pass_over(utterance, span)
            else:
                self.growing = utterance
                if self.collecting is not None and ends_window(self.collecting.spans, span, self._settings):
                    self.close()

    def quiet(self, wall: float) -> bool:
        """Whether ``rest`` would end something."""
        ending = self.collecting is not None and self._silent(wall, self._settings.quiet)
        return self.growing is None and (ending or self._silent(wall, SILENCE))

    def rest(self, wall: float) -> None:
        """End what a pause until epoch second ``wall`` ends: nothing else of the track is on the log."""
        if self.growing is not None:
            return
        if self._silent(wall, self._settings.quiet):
            self.close()
        if self._silent(wall, SILENCE):
            self._release(self._stretches)
            self.idle = not self._stretches and not self.waiting

    def _silent(self, wall: float, seconds: float) -> bool:
        return self._last is not None and wall - self._last.ended > seconds

    def close(self) -> None:
        """The collecting window does not grow any more."""
        if self.collecting is not None:
            self.ready.append(self.collecting)
            self.collecting = None

    def done(self, window: Window) -> None:
        """The window needs no work any more."""
        self.ready.remove(window)
        for utterance in window.utterances:
            utterance.drop()
            if utterance is not window.stretch:
                self._finish(utterance)
        self._release(self._stretches[:-1])

    def _release(self, over: Sequence[Utterance]) -> None:
        """Finish those stretches of which nothing waits."""
        waiting = {id(window.stretch) for window in self.waiting}
        for stretch in [stretch for stretch in over if id(stretch) not in waiting]:
            self._stretches.remove(stretch)
            self._finish(stretch)

    @property
    def waiting(self) -> list[Window]:
        """The windows that are not done."""
        return [*self.ready, *([self.collecting] if self.collecting is not None else [])]

    def _take(self, utterance: Utterance, span: Span) -> None:
        if not self._known(utterance, span):
            self._pass_over(utterance, span)
            return
        if self.collecting is not None and ends_window(self.collecting.spans, span, self._settings):
            self.close()
        self._begin(utterance, span)
        if self.collecting is None:
            self.collecting = Window(self._stretches[-1])
        self.collecting.utterances.append(utterance)
        self.collecting.spans.append(span)
        if self.collecting.given_up or utterance.dropped:
            self.collecting.give_up()
        self._last = span

    def _pass_over(self, utterance: Utterance, span: Span) -> None:
        """The utterance has no second pass."""
        utterance.drop()
        if self._known(utterance, span) and self._begin(utterance, span):
            self.close()
        elif not self._stretches or utterance is not self._stretches[-1]:
            self._finish(utterance)
        self._last = span

    def _finish_returned(self, utterances: Iterable[Utterance]) -> None:
        """Finish those of which more audio came after they were passed over, as soon as that ends."""
        held = {id(utterance) for window in self.waiting for utterance in window.utterances}
        held |= {id(stretch) for stretch in self._stretches}
        for utterance in utterances:
            past = self._last is not None and utterance.id.utterance <= self._last.number
            if past and utterance.complete and id(utterance) not in held:
                self._finish(utterance)

    def _begin(self, utterance: Utterance, span: Span) -> bool:
        """Whether the utterance begins a stretch."""
        if self._stretches and not begins_stretch(span, self._last):
            return False
        self._release(self._stretches)
        self._stretches.append(utterance)
        return True

    def _known(self, utterance: Utterance, span: Span) -> bool:
        """Whether the utterance's stretch was read from its start: otherwise it was done before."""
        if self._stretches or begins_stretch(span, self._last):
            return True
        since = self.tenure.since
        return self._last is None and since is not None and utterance.opened - since > SILENCE


def span_of(utterance: Utterance) -> Span:
    """Where the utterance is on its track, as far as it was read."""
    settings = utterance.settings
    return Span(
        number=utterance.id.utterance,
        start=utterance.start,
        end=utterance.start + utterance.samples,
        sent=utterance.start + utterance.sent,
        began=utterance.opened,
        ended=utterance.opened if utterance.ended is None else utterance.ended,
        alike=(settings.session, settings.model, settings.language, settings.languages),
    )


def by_track(utterances: Iterable[Utterance]) -> dict[TrackId, list[Utterance]]:
    """The utterances of each track, in order."""
    ordered = sorted(utterances, key=lambda u: (u.id.track, u.id.utterance))
    return {track: list(group) for track, group in groupby(ordered, key=lambda u: u.id.track)}
