"""The Tracer port: one trace for each utterance, across gateway, log and worker. The base class keeps none.

A trace's context is what records carry of it. Hooks are called where things happen and must be quick; they never raise,
whatever a context holds. Durations are seconds. No hook is told what was said.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from captions.caption import CaptionId
from captions.track import TrackId

Context = Mapping[str, str]
"""Headers of the W3C's Trace Context and Baggage recommendations, by name; empty where nothing is traced."""

NO_CONTEXT: Context = {}
_NOTHING: AbstractContextManager[Context] = nullcontext(NO_CONTEXT)


class Tracer:
    """Hooks without effect; ``monitoring`` overrides them."""

    def utterance_opened(self, utterance: CaptionId, ago: float) -> Context:
        """The segmenter opened an utterance whose first sample came ``ago``: the context of its trace."""
        return NO_CONTEXT

    def utterance_resumed(self, utterance: CaptionId, context: Context, since: float) -> None:
        """Another gateway opened it at epoch second ``since`` with this context; its trace is ended here now."""

    def utterance_ended(self, utterance: CaptionId, duration: float, reason: str) -> None:
        """The segmenter ended an utterance: ``endpoint``, ``longest``, ``finalize``, ``stall``, ``end``."""

    def track_left(self, track: TrackId) -> None:
        """Another gateway has the track now: it ends the traces of the utterances that are open here."""

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
        """A window of an utterance, ``audio`` long, was decoded in a batch that ``took`` so long and is over just now.

        ``kind`` is ``partial`` or ``final``, ``model`` the model's name. Returns the context of what comes of it.
        """
        return NO_CONTEXT

    def publishing(
        self, context: Context, *, kind: str, model: str, words: int, gates: Sequence[str]
    ) -> AbstractContextManager[Context]:
        """A caption of so many words is put on the log meanwhile, with the context that its record is to carry.

        ``model`` is the name of the one that decoded it; ``gates`` withdrew other words.
        """
        return _NOTHING

    def delivered(
        self, caption: CaptionId, context: Context, *, kind: str, language: str, words: int, since: float, viewers: int
    ) -> None:
        """A caption that came on the log at epoch second ``since`` was handed to so many viewers here."""


NO_TRACES = Tracer()
