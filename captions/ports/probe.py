"""The Probe port: what happens, told to whoever measures. The base class ignores everything.

Hooks are called where things happen and must be quick; they never raise. Durations are seconds.
"""


class Probe:
    """Hooks without effect; ``monitoring`` overrides them."""

    def session_opened(self) -> None:
        """A publisher began or resumed a session."""

    def session_closed(self, outcome: str) -> None:
        """A publisher's connection ended: ``done``, ``away`` or a refusal's code."""

    def viewer_opened(self, kind: str) -> None:
        """A viewer connected by ``ws`` or ``sse``."""

    def viewer_closed(self, kind: str, outcome: str) -> None:
        """A viewer's connection ended: ``left`` or a refusal's code."""

    def refused(self, code: str) -> None:
        """A request was refused with this code."""

    def audio_received(self, duration: float) -> None:
        """This much audio was decoded from a publisher."""

    def segment_logged(self, duration: float, took: float) -> None:
        """A segment of ``duration`` is on the log, ``took`` after it was complete."""

    def utterance_ended(self, duration: float, reason: str) -> None:
        """The segmenter ended an utterance: ``endpoint``, ``longest``, ``finalize``, ``stall``, ``end``."""

    def partials_dropped(self, count: int) -> None:
        """Superseded partials were not sent to a slow viewer."""

    def queue_depth(self, waiting: int) -> None:
        """Utterances that wait for a decode."""

    def decoded(self, kind: str, batch: int, audio: float, took: float) -> None:
        """A batch of ``kind`` (``partial`` or ``final``) with ``audio`` seconds in all took ``took``."""

    def redecoded(self) -> None:
        """The loop gate decoded a window again at the full 30 s."""

    def gate_fired(self, gate: str) -> None:
        """A hallucination gate withdrew words."""

    def first_partial(self, latency: float) -> None:
        """An utterance's first words were published ``latency`` after its onset."""

    def final(self, latency: float) -> None:
        """A final was published ``latency`` after its endpoint was decided."""

    def dead_letter(self, kind: str) -> None:
        """An ``utterance`` or a ``record`` that could not be dealt with was put aside."""

    def decode_failed(self) -> None:
        """The engine failed on a batch."""
