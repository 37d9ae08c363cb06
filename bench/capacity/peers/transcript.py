"""A peer's growing transcript as captions, so that all systems are measured alike.

Peers number no utterances: they send what stands, and what may yet change behind it. The whole stream is one
utterance here, each message a revision of it: a word is shown, stands and is taken back by the same rules as
ours. Words that newly stand are a final of their own: there is no other sign of when a peer was sure.
"""

from datetime import UTC, datetime
from typing import Final

from bench.capacity.systems import Heard
from captions.messages import CaptionMessage
from captions.quality import Arrival

LIVE: Final = "live"
_EPOCH = datetime.fromtimestamp(0, UTC)


class Transcript:
    """Notes into ``heard`` what a viewer of the peer sees."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._standing = 0

    @property
    def text(self) -> str:
        """What is shown now."""
        return self._heard.shown[-1].caption.text if self._heard.shown else ""

    def take(self, at: float, standing: str, volatile: str) -> None:
        """A message that came ``at`` seconds: all that stands so far, and what follows it for now."""
        words = standing.split()
        text = " ".join([*words, *volatile.split()])
        shown, finals = self._heard.shown, self._heard.finals
        if text != self.text:
            shown.append(Arrival(at, _caption(0, len(shown) + 1, text, final=False)))
        if len(words) > self._standing:
            finals.append(Arrival(at, _caption(len(finals), 1, " ".join(words[self._standing :]), final=True)))
            self._standing = len(words)

    def finish(self) -> None:
        """Nothing comes any more: what is shown is the transcript."""
        if self._heard.shown:
            last = self._heard.shown[-1]
            final = _caption(0, last.caption.revision + 1, last.caption.text, final=True)
            self._heard.shown.append(Arrival(last.at, final))


def _caption(utterance: int, revision: int, text: str, *, final: bool) -> CaptionMessage:
    return CaptionMessage(
        room="peer", track="main", utterance=utterance, pass_=LIVE, revision=revision, final=final, language="en",
        start=0.0, end=0.0, started_at=_EPOCH, text=text, stable=0,
    )  # fmt: skip
