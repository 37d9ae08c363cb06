"""The Tracer port: one trace per utterance, across gateway, log and worker. The base class does nothing.

Records carry the context of a trace. Hooks are called from the code that they trace, so they have to be quick and must
not raise, even for an invalid context. Durations are seconds. Traces never contain the text of captions.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from captions.caption import CaptionId
from captions.track import TrackId

Context = Mapping[str, str]
"""Headers of W3C Trace Context and Baggage, by name; empty if the utterance is not traced."""

NO_CONTEXT: Context = {}
_NOTHING: AbstractContextManager[Context] = nullcontext(NO_CONTEXT)


class Tracer:
    """Hooks that do nothing. ``monitoring`` overrides them."""

    def utterance_opened(self, utterance: CaptionId, ago: float) -> Context:
        """The segmenter opened an utterance whose first sample arrived ``ago``. Returns the context of its trace."""
        return NO_CONTEXT

    def utterance_resumed(self, utterance: CaptionId, context: Context, since: float) -> None:
        """This gateway took over an utterance that another one opened at epoch second ``since``, and ends its trace."""

    def utterance_ended(self, utterance: CaptionId, duration: float, reason: str) -> None:
        """The segmenter ended an utterance for ``endpoint``, ``longest``, ``finalize``, ``stall`` or ``end``."""

    def track_left(self, track: TrackId) -> None:
        """Another gateway took over the track. It ends the traces that are open here."""

    def decoded(
        self,
        context: Context,
        *,
        kind: str,
        model: str,
        batch: int,
        audio: float,
        took: float,
        redecoded: bool,
        failed: bool,
    ) -> Context:
        """A window with ``audio`` seconds of an utterance was just decoded, in a batch that ``took`` this many seconds.

        ``kind`` is ``partial`` or ``final``, ``model`` the model's name. Returns the context for the caption.
        """
        return NO_CONTEXT

    def publishing(
        self, context: Context, *, kind: str, model: str, words: int, gates: Sequence[str]
    ) -> AbstractContextManager[Context]:
        """A context manager around the append of a caption. It yields the trace context for the record.

        ``model`` is the name of the model that decoded it, ``words`` the number of its words, and ``gates`` the gates
        that withdrew other words.
        """
        return _NOTHING

    def delivered(
        self, caption: CaptionId, context: Context, *, kind: str, language: str, words: int, since: float, viewers: int
    ) -> None:
        """A caption appended at epoch second ``since`` was queued for ``viewers`` viewers of this gateway."""


NO_TRACES = Tracer()
