"""Writes transcripts. Hours of talk take seconds, during which the event loop needs the interpreter's lock too."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

from captions.export import as_json, as_srt, as_text, as_vtt
from captions.messages import CaptionMessage
from captions.transcript import in_order_spoken
from streamer.rooms.history import StoredEvent

STRETCH = 0.002
"""Seconds of work between two pauses: so long the event loop may wait for the interpreter's lock."""

PAUSE = 0.001
"""Seconds of a pause. Without one, a thread that works gets the lock back at once."""

Format = Literal["json", "txt", "srt", "vtt"]
Item = TypeVar("Item")


class Selection(NamedTuple):
    """What a transcript has: the ``last`` finals with a ``seq`` below ``before``. None means no limit."""

    format: Format
    before: int | None = None
    last: int | None = None


class AbandonedError(Exception):
    """Nobody waits for the transcript any more."""


class _Captions:
    """Captions whose reader pauses now and then. None is kept, for the garbage collector would hold the lock."""

    def __init__(self, finals: Iterable[StoredEvent], abandoned: threading.Event) -> None:
        self._finals = finals
        self._abandoned = abandoned

    def __iter__(self) -> Iterator[CaptionMessage]:
        return (CaptionMessage.model_validate_json(final.json) for final in _paced(self._finals, self._abandoned))


_WRITERS: dict[Format, Callable[[Iterable[CaptionMessage]], str]] = {"txt": as_text, "srt": as_srt, "vtt": as_vtt}


def write_transcript(wanted: Format, finals: Sequence[StoredEvent], abandoned: threading.Event) -> bytes:
    """Write ``finals`` in the order they were spoken. For a thread. Raises ``AbandonedError`` soon after it is set."""
    spoken = in_order_spoken(finals)
    if wanted == "json":
        return as_json(final.json for final in _paced(spoken, abandoned))
    return _WRITERS[wanted](_Captions(spoken, abandoned)).encode()


def _paced(items: Iterable[Item], abandoned: threading.Event) -> Iterator[Item]:
    pause_at = time.monotonic() + STRETCH
    for item in items:
        if time.monotonic() >= pause_at:
            if abandoned.wait(PAUSE):
                raise AbandonedError
            pause_at = time.monotonic() + STRETCH
        yield item
