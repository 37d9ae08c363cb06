"""Other systems, driven as their own clients do: with the same model folder, each in an environment of its own."""

from collections.abc import Callable
from pathlib import Path

from bench.capacity.peers.whisperlive import WhisperLive
from bench.capacity.peers.whisperlivekit import WhisperLiveKit
from bench.capacity.systems import System

PEERS: dict[str, Callable[[Path, str, int | None], System]] = {
    "whisperlive": WhisperLive,
    "whisperlivekit": WhisperLiveKit,
}
"""By the name that ``--peer`` takes: of a model's folder, a language and the cores it may use (None: all)."""
