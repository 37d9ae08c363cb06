"""Converts a peer's growing transcript to captions, so that all systems are measured in the same way.

Peers have no utterance numbers. They send stable text, followed by text that may still change. Here the whole stream is
one utterance and each message is a revision of it, so the same rules for shown, stable and erased words apply. Newly
stable words also count as a final, because peers send no other sign that text is final.
"""

from datetime import UTC, datetime
from typing import Final

from bench.capacity.systems import Received
from captions.messages import CaptionMessage
from captions.quality import Arrival

LIVE: Final = "live"
_EPOCH = datetime.fromtimestamp(0, UTC)


class Transcript:
    """Stores into ``received`` what a viewer of the peer sees."""

    def __init__(self, received: Received) -> None:
        self._received = received
        self._standing = 0

    @property
    def text(self) -> str:
        """The text that is shown now."""
        return self._received.shown[-1].caption.text if self._received.shown else ""

    def take(self, at: float, standing: str, volatile: str) -> None:
        """Add a message that arrived ``at`` seconds: all stable text so far, and the volatile text after it."""
        words = standing.split()
        text = " ".join([*words, *volatile.split()])
        shown, finals = self._received.shown, self._received.finals
        if text != self.text:
            shown.append(Arrival(at, _caption(0, len(shown) + 1, text, final=False)))
        if len(words) > self._standing:
            finals.append(Arrival(at, _caption(len(finals), 1, " ".join(words[self._standing :]), final=True)))
            self._standing = len(words)

    def finish(self) -> None:
        """End the transcript. The text that is shown now becomes final."""
        if self._received.shown:
            last = self._received.shown[-1]
            final = _caption(0, last.caption.revision + 1, last.caption.text, final=True)
            self._received.shown.append(Arrival(last.at, final))


def _caption(utterance: int, revision: int, text: str, *, final: bool) -> CaptionMessage:
    return CaptionMessage(
        room="peer", track="main", utterance=utterance, pass_=LIVE, revision=revision, final=final, language="en",
        start=0.0, end=0.0, started_at=_EPOCH, text=text, stable=0,
    )  # fmt: skip
