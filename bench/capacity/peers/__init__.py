"""Other systems, used as their own clients use them, with the same model, each in a separate environment."""

from collections.abc import Callable
from pathlib import Path

from bench.capacity.peers.whisperlive import WhisperLive
from bench.capacity.peers.whisperlivekit import WhisperLiveKit
from bench.capacity.systems import System

PEERS: dict[str, Callable[[Path, str, int | None], System]] = {
    "whisperlive": WhisperLive,
    "whisperlivekit": WhisperLiveKit,
}
"""Constructors by the value of ``--peer``. Arguments: the model's folder, the language, and the cores (None: all)."""
