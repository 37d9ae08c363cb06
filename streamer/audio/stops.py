"""Why a decoder process stopped before its stream did, and whose fault that is."""

import os
import signal
from enum import StrEnum

from captions.errors import Internal, Refusal, UnsupportedAudio

KEPT = "what came before is captioned"
ANOTHER = "send another format, or leave this recording out"


class Stop(StrEnum):
    """The reasons, as they are counted."""

    CRASH = "crash"
    CPU = "cpu"
    MEMORY = "memory"
    HANG = "hang"
    KILLED = "killed"
    LOST = "lost"


_REFUSALS: dict[Stop, tuple[type[Refusal], str]] = {
    Stop.CRASH: (UnsupportedAudio, f"the decoder crashed on this audio; {KEPT}; {ANOTHER}"),
    Stop.CPU: (UnsupportedAudio, f"this audio takes longer to decode than to hear; {KEPT}; {ANOTHER}"),
    Stop.MEMORY: (UnsupportedAudio, f"this audio takes too much memory to decode; {KEPT}; {ANOTHER}"),
    Stop.HANG: (UnsupportedAudio, f"the decoder does not come back from this audio; {KEPT}; {ANOTHER}"),
    Stop.KILLED: (Internal, f"the decoder of this session was killed; {KEPT}; begin a new session"),
    Stop.LOST: (Internal, f"the server failed to decode the audio; {KEPT}; begin a new session"),
}


def refusal_of(stop: Stop) -> Refusal:
    """What the publisher is told."""
    refusal, message = _REFUSALS[stop]
    return refusal(message)


def stop_of(status: int | None) -> Stop:
    """The reason by the status that ``os.waitpid`` returned; None if the fork server died before it could tell.

    The audio is at fault where the process did it to itself: nothing in it sends SIGKILL or SIGTERM.
    """
    if status is None or not os.WIFSIGNALED(status):
        return Stop.LOST
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return Stop.CPU
    return Stop.KILLED if number in {signal.SIGKILL, signal.SIGTERM} else Stop.CRASH
