"""The Probe port: what happens, told to whoever measures. The base class ignores everything.

Hooks are called where things happen and must be quick; they never raise. Durations are seconds.
"""

from captions.audio_warnings import WarningCode


class Probe:
    """Hooks without effect; ``monitoring`` overrides them."""

    # Any process

    def audio_partitions(self, count: int) -> None:
        """Topic ``audio`` has so many partitions."""

    def event_loop_lagged(self, lag: float) -> None:
        """The event loop came ``lag`` later to what was due."""

    def log_failed(self, operation: str) -> None:
        """The log could not ``append``, ``read`` or ``commit``."""

    # The gateway

    def http_answered(self, route: str, method: str, status: int, took: float) -> None:
        """A plain HTTP request to a route's template was answered; its response began ``took`` after it came."""

    def session_opened(self, tenant: str | None = None) -> None:
        """A publisher began or resumed a session, with a token of ``tenant``."""

    def session_closed(self, outcome: str, tenant: str | None = None) -> None:
        """A publisher's connection ended: ``done``, ``away`` or a refusal's code."""

    def viewer_opened(self, kind: str) -> None:
        """A viewer connected by ``ws`` or ``sse``."""

    def viewer_closed(self, kind: str, outcome: str) -> None:
        """A viewer's connection ended: ``left`` or a refusal's code."""

    def refused(self, code: str) -> None:
        """A request was refused with this code."""

    def audio_warned(self, code: WarningCode) -> None:
        """A publisher was warned of its audio."""

    def socket_message(self, socket: str, direction: str, count: int = 1) -> None:
        """So many messages went ``in`` or ``out`` at a ``publish`` or ``view`` socket."""

    def audio_received(self, duration: float, tenant: str | None = None) -> None:
        """This much audio was decoded from a publisher."""

    def segment_logged(self, duration: float, took: float) -> None:
        """A segment of ``duration`` is on the log, ``took`` after it was complete."""

    def utterance_ended(self, duration: float, reason: str) -> None:
        """The segmenter ended an utterance: ``endpoint``, ``longest``, ``finalize``, ``stall``, ``end``."""

    def finals_awaited(self, count: int, longest: float) -> None:
        """So many utterances were ended here and have no final yet; the first of them since ``longest``."""

    def partials_dropped(self, count: int) -> None:
        """Superseded partials were not sent to a slow viewer."""

    def draining(self) -> None:
        """The gateway takes nobody in any more: it is about to stop."""

    # The worker

    def model_loaded(self, model: str, compute_type: str, device: str) -> None:
        """The worker's model is in memory."""

    def partition_assigned(self, partition: int) -> None:
        """A partition of topic ``audio`` is this worker's."""

    def partition_revoked(self, partition: int) -> None:
        """It is no more."""

    def rebalanced(self) -> None:
        """The set of owned partitions changed."""

    def audio_behind(self, behind: dict[int, float]) -> None:
        """How long the oldest audio of each owned partition waits for a decode; 0 where none does."""

    def consumer_lag(self, partition: int, records: int) -> None:
        """So many records of an owned partition are not committed."""

    def streams(self, count: int) -> None:
        """So many tracks speak, or did so just now."""

    def queue_depth(self, waiting: int) -> None:
        """Utterances that wait for a decode."""

    def decoded(self, kind: str, model: str, batch: int, audio: float, took: float) -> None:
        """``model`` decoded a batch of ``kind`` (``partial`` or ``final``), ``audio`` seconds in all, in ``took``."""

    def redecoded(self, model: str) -> None:
        """``model`` decoded a doubtful final again at the full 30 s."""

    def gate_fired(self, gate: str) -> None:
        """A hallucination gate withdrew words."""

    def decode_failed(self, model: str) -> None:
        """The engine of ``model`` failed on a batch."""

    def first_partial(self, latency: float) -> None:
        """An utterance's first words were published ``latency`` after its onset."""

    def partial(self, erased: int) -> None:
        """A partial was published that took ``erased`` words back."""

    def partial_interval(self, interval: float) -> None:
        """Between two partials of one utterance."""

    def final(self, words: int, erased: int) -> None:
        """A final of so many words was published, which took ``erased`` words of the last partial back."""

    def final_latency(self, latency: float) -> None:
        """A final was published ``latency`` after its endpoint was decided."""

    def word_shown(self, latency: float) -> None:
        """A word of a final was first shown ``latency`` after its end; 0 where it was there before."""

    def word_confidence(self, confidence: float) -> None:
        """How sure the model is of a word of a final, in 0..1."""

    def dead_letter(self, kind: str) -> None:
        """An ``utterance`` or a ``record`` that could not be dealt with was put aside."""
