"""Transcripts that are written only when a test lets them."""

import threading
from collections.abc import Sequence

import pytest

from streamer.rooms import exports
from streamer.rooms.history import StoredEvent
from streamer.rooms.transcripts import Format, write_transcript

SOON = 20.0
"""Seconds after which a transcript is written even if no test lets it, so that the test ends."""


class Writing:
    """Counts transcripts, and holds the thread that writes them until ``go`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.begun: list[threading.Event] = []
        """For each transcript that was begun, the event that tells its thread to stop."""
        monkeypatch.setattr(exports, "write_transcript", self._write)

    def _write(self, wanted: Format, finals: Sequence[StoredEvent], abandoned: threading.Event) -> bytes:
        self.begun.append(abandoned)
        self.go.wait(SOON)
        return write_transcript(wanted, finals, abandoned)
