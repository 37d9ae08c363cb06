"""What memory a server may take by its settings, beside its model."""

from typing import NamedTuple

from captions.records import AUDIO, CAPTIONS
from livecaptions.logs import MEMORY, memory_sizes
from livecaptions.settings.fields import Settings
from streamer.settings import GatewaySettings

PROGRAM = 200 * 2**20
"""Bytes of a process without clients and model: 140 MB for a gateway alone, more where it decodes."""

SESSION = 700 * 2**10
"""Bytes of a publisher's session that keeps up (docs/capacity.md)."""

VIEWER = 45 * 2**10
"""Bytes of a viewer's connection (docs/capacity.md)."""


class Share(NamedTuple):
    """Bytes that something may take at most, and the settings that bound it."""

    what: str
    most: int
    bounded_by: str


def shares(settings: Settings) -> list[Share]:
    """What a gateway, or ``serve`` where the log is in memory, may take at most."""
    unacknowledged = GatewaySettings().max_unacknowledged
    sessions, viewers = settings.max_sessions, settings.max_viewers
    listed = [
        Share("the program", PROGRAM, ""),
        Share("finals in rooms, twice while a hall comes", 2 * settings.captions_bytes, "captions_bytes"),
        Share(f"{sessions} publishers that keep up", sessions * SESSION, "max_sessions"),
        Share("their audio where the log is full", sessions * unacknowledged, "max_sessions"),
        Share(f"{viewers} viewers", viewers * VIEWER, "max_viewers"),
    ]
    if settings.transport == MEMORY:
        sizes = memory_sizes(settings)
        others = sum(size for topic, size in sizes.items() if topic not in {AUDIO, CAPTIONS})
        listed[1:1] = [
            Share("audio on the log", sizes[AUDIO], "log_bytes, audio_retention"),
            Share("finals on the log", sizes[CAPTIONS], "captions_bytes, captions_retention"),
            Share("partials and dead letters on the log", others, "log_bytes"),
        ]
    return listed
