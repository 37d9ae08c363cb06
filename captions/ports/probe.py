"""The Probe port: hooks that report events to the metrics. The base class does nothing.

Hooks are called from the code that they measure, so they have to be quick and must not raise. Durations are seconds.
"""

from captions.audio_warnings import WarningCode
from captions.connection_end import ConnectionEnd


class Probe:
    """Hooks that do nothing. ``monitoring`` overrides them."""

    # Any process

    def audio_partitions(self, count: int) -> None:
        """Topic ``audio`` has ``count`` partitions."""

    def event_loop_lagged(self, lag: float) -> None:
        """The event loop ran a due callback ``lag`` late."""

    def log_failed(self, operation: str) -> None:
        """An operation of the log failed: ``append``, ``read`` or ``commit``."""

    # The gateway

    def connection_closed(self, end: ConnectionEnd) -> None:
        """The server closed a connection, or took none, because of its limits."""

    def http_answered(self, route: str, method: str, status: int, took: float) -> None:
        """A plain HTTP request was answered. The response began ``took`` after the request; ``route`` is a template."""

    def session_opened(self, tenant: str | None = None) -> None:
        """A publisher started or resumed a session with a token of ``tenant``."""

    def session_closed(self, outcome: str, tenant: str | None = None) -> None:
        """A publisher's connection ended. ``outcome`` is ``done``, ``away`` or a refusal's code."""

    def viewer_opened(self, kind: str) -> None:
        """A viewer connected. ``kind`` is ``ws`` or ``sse``."""

    def viewer_closed(self, kind: str, outcome: str) -> None:
        """A viewer's connection ended. ``outcome`` is ``left`` or a refusal's code."""

    def refused(self, code: str) -> None:
        """A request was refused with this code."""

    def limited(self, limit: str, scope: str) -> None:
        """A ``limit`` of a key, tenant or address (``scope``) refused a client; ``speed``: a session is slowed."""

    def audio_warned(self, code: WarningCode) -> None:
        """A warning about its audio was sent to a publisher."""

    def decoder_stopped(self, reason: str) -> None:
        """The process of a container's decoder stopped early.

        ``reason`` is ``crash``, ``cpu``, ``memory``, ``hang``, ``killed`` or ``lost``.
        """

    def socket_message(self, socket: str, direction: str, count: int = 1) -> None:
        """``count`` messages passed a ``publish`` or ``view`` socket in direction ``in`` or ``out``."""

    def audio_received(self, duration: float, tenant: str | None = None) -> None:
        """``duration`` of audio was received from a publisher and decoded to PCM."""

    def segment_logged(self, duration: float, took: float) -> None:
        """A segment of ``duration`` was appended to the log, ``took`` after it was complete."""

    def utterance_ended(self, duration: float, reason: str) -> None:
        """The segmenter ended an utterance for ``endpoint``, ``longest``, ``finalize``, ``stall`` or ``end``."""

    def finals_awaited(self, count: int, longest: float) -> None:
        """``count`` ended utterances have no final yet. The oldest has been waiting for ``longest``."""

    def partials_dropped(self, count: int) -> None:
        """``count`` superseded partials were not sent to a slow viewer."""

    def draining(self) -> None:
        """The gateway accepts no new clients and is about to stop."""

    # The worker

    def model_loaded(self, model: str, compute_type: str, device: str) -> None:
        """The worker's model is in memory."""

    def partition_assigned(self, partition: int) -> None:
        """This worker now owns a partition of topic ``audio``."""

    def partition_revoked(self, partition: int) -> None:
        """This worker no longer owns the partition."""

    def rebalanced(self) -> None:
        """The set of owned partitions changed."""

    def audio_behind(self, behind: dict[int, float]) -> None:
        """How long the oldest audio of each owned partition has waited for a decode; 0 if none waits."""

    def consumer_lag(self, partition: int, records: int) -> None:
        """``records`` records of an owned partition are not committed."""

    def streams(self, count: int) -> None:
        """``count`` tracks have speech now or had some a moment ago."""

    def queue_depth(self, waiting: int) -> None:
        """``waiting`` utterances wait for a decode."""

    def decoded(self, kind: str, model: str, batch: int, audio: float, took: float) -> None:
        """``model`` decoded a batch of ``kind``, ``audio`` seconds in all, in ``took``.

        ``kind`` is ``partial``, ``final`` or ``refined``.
        """

    def redecoded(self, model: str) -> None:
        """``model`` decoded a doubtful final again at the full 30 s."""

    def gate_fired(self, gate: str) -> None:
        """A hallucination gate withdrew words."""

    def decode_failed(self, model: str) -> None:
        """The engine of ``model`` failed on a batch."""

    def first_partial(self, latency: float) -> None:
        """An utterance's first words were published ``latency`` after its onset."""

    def partial(self, erased: int) -> None:
        """A partial was published that erased ``erased`` words of the one before."""

    def partial_interval(self, interval: float) -> None:
        """``interval`` passed between two partials of one utterance."""

    def final(self, words: int, erased: int) -> None:
        """A final with ``words`` words was published. It erased ``erased`` words of the last partial."""

    def final_latency(self, latency: float) -> None:
        """A final was published ``latency`` after the endpoint of its utterance was detected."""

    def word_shown(self, latency: float) -> None:
        """A word of a final was first shown ``latency`` after its end; 0 if it was shown before its end."""

    def word_confidence(self, confidence: float) -> None:
        """The model's confidence in a word of a final, in 0..1."""

    def refined(self, model: str, words: int, changed: int, late: float) -> None:
        """The second pass is done with a caption of ``words`` words, ``late`` after its utterance's end was on the log.

        ``changed`` of its words are new. A caption whose text is the same is not published.
        """

    def refine_behind(self, seconds: float) -> None:
        """The oldest finished speech has waited so long for its second pass; 0 if none waits."""

    def refine_skipped(self, seconds: float) -> None:
        """``seconds`` of speech got no second pass, because it would have come too late."""

    def dead_letter(self, kind: str) -> None:
        """An ``utterance`` or a ``record`` that cannot be processed was put on topic ``dead-letters``."""
