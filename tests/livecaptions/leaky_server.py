"""``livecaptions serve``, hearing a script of rare words, in which all that can fail does so while it quotes them.

``python -m tests.livecaptions.leaky_server`` with the flags of ``serve``.
"""

import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest

from captions.errors import EngineError
from captions.messages import CaptionMessage
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Log, Record
from captions.records import AUDIO, CAPTIONS, PARTIALS
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine, ScriptedWord, scripted_audio
from livecaptions import wiring
from livecaptions.cli import main
from livecaptions.commands import serve
from livecaptions.logs import open_log
from livecaptions.settings.fields import Settings
from streamer.rooms import transcripts
from tests.support import EnergyDetector

WORDS = [
    "zebrawood", "quokkaland", "flibbertigib", "xylograph", "wunderkammer", "bumfuzzled", "gobemouche", "snollygoster",
]  # fmt: skip
POISON = WORDS[4]
SCRIPT = [ScriptedWord(word, at, at + 0.4) for at, word in zip([0.5, 1, 1.5, 3.5, 6, 6.5, 9, 9.5], WORDS, strict=True)]
PCM = scripted_audio(SCRIPT, 11.0)


class LeakyEngine(ScriptedEngine):
    """Fails on some utterances, with errors that quote the words."""

    compute_type, device = "int8", "cpu"

    def __init__(self) -> None:
        super().__init__(SCRIPT)

    def warm_up(self) -> None:
        """There is nothing to load."""

    def describe(self) -> dict[str, str]:
        return {"model": self.model_name}

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        found = super().decode(requests)
        words = " ".join(word.text for hypothesis in found for word in hypothesis.words)
        if POISON in words:
            raise ValueError(f"no token for {words!r}") from KeyError(words)
        if WORDS[6] in words and len(requests) == 1 and requests[0].final:
            raise EngineError("failed on purpose") from LookupError(words)
        return found


@asynccontextmanager
async def leaky_log(settings: Settings, clock: Clock) -> AsyncIterator[Log]:
    """The log, with records that nobody can read."""
    said = " ".join(WORDS).encode()
    async with open_log(settings, clock) as log:
        for topic in (CAPTIONS, PARTIALS):
            await log.append(topic, Record("hall", b'{"type":"caption","room":"hall","text":["%s"],"x":1}' % said))
            await log.append(topic, Record("hall", said))
        await log.append(AUDIO, Record("hall/main", said, {"segment": said, "settings": said}))
        await log.append(AUDIO, Record(RoomId("hall").track("main").key, said[:2], {"segment": b"0", "settings": said}))
        yield log


def failing_export(captions: Iterable[CaptionMessage]) -> str:
    raise KeyError(" ".join(caption.text for caption in captions))


def patched() -> None:
    """Put what fails in its place."""
    patch = pytest.MonkeyPatch()
    patch.setattr(serve, "build_engines", lambda _: [LeakyEngine()])
    patch.setattr(serve, "open_log", leaky_log)
    patch.setattr(wiring, "detector_factory", lambda _: EnergyDetector)
    patch.setitem(transcripts._WRITERS, "vtt", failing_export)


if __name__ == "__main__":
    patched()
    sys.argv[1:1] = ["serve"]
    main()
