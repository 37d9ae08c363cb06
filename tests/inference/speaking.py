"""What a gateway puts on the log while somebody speaks."""

import asyncio

from captions.audio import Pcm
from captions.listener import Listener
from captions.records import AUDIO, AudioSegment, write_audio
from captions.segmenter import Segmenter, SegmenterSettings
from captions.session import SessionSettings
from captions.track import RoomId
from tests.support import EnergyDetector
from transport.memory import MemoryLog

SESSION = SessionSettings(session="s", origin=1_764_000_000.0, language="en", speaker="Ada")


def segments(pcm: Pcm, track: str = "main") -> list[AudioSegment]:
    """What the gateway would put on the log for ``pcm``."""
    detector = EnergyDetector()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    return [
        AudioSegment(
            track=RoomId("hall").track(track),
            utterance=piece.utterance,
            number=piece.number,
            start=piece.start,
            pcm=piece.pcm,
            offset=0,
            last=piece.last,
            end=piece.end,
            paused=piece.paused,
            settings=SESSION if piece.number == 0 else None,
        )
        for piece in (*listener.push(pcm), *listener.finish())
    ]


async def speak(log: MemoryLog, pcm: Pcm, *, until: float = 1e9, since: float = 0.0, track: str = "main") -> None:
    """Append the segments of ``pcm`` that end in ``since..until``, each when it was said."""
    loop = asyncio.get_running_loop()
    began = loop.time() - since
    for segment in segments(pcm, track):
        end = (segment.start + len(segment.pcm)) / 16_000
        if since <= end < until:
            await asyncio.sleep(began + end - loop.time())
            await log.append(AUDIO, write_audio(segment))
