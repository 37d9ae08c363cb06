"""The most memory that a server may use with its settings, without the model."""

from typing import NamedTuple

from captions.records import AUDIO, CAPTIONS, GLOSSARIES
from livecaptions.logs import MEMORY, memory_sizes
from livecaptions.settings.fields import Settings

PROGRAM = 200 * 2**20
"""Bytes of a process without clients and model: 140 MB for a gateway, more with a worker."""

SESSION = 700 * 2**10
"""Bytes per publisher whose audio is appended without delay (bench/capacity.md)."""

DECODER = 5 * 2**20
"""Bytes of the process that decodes a publisher's container, besides what all share (bench/capacity.md)."""

VIEWER = 45 * 2**10
"""Bytes per viewer connection (bench/capacity.md)."""


CONNECTION = 40 * 2**10
"""Bytes per connection that sends the largest head of a request and never completes it; a silent one takes 5 kB."""


REFINED_SPEECH = 32_000
"""Bytes per second of speech that waits for its second pass."""


UNDONE = 40.0
"""Seconds of speech of a publisher beside that: the first utterance of its oldest window, and what is sent at once."""


class Share(NamedTuple):
    """The most bytes that a part of the server may use, and the settings that limit it."""

    what: str
    most: int
    bounded_by: str


def _second_pass(settings: Settings) -> list[Share]:
    """The speech that the second pass holds until it is done or given up: never more than ``most_buffered``."""
    speech = min(settings.most_buffered, settings.max_sessions * (settings.refine_within + UNDONE))
    bounds = "max_sessions, refine_within, most_buffered"
    return [Share("speech that waits for its second pass", round(speech) * REFINED_SPEECH, bounds)]


def shares(settings: Settings) -> list[Share]:
    """The shares of a gateway, or of ``serve`` if the log is in memory."""
    sessions, viewers = settings.max_sessions, settings.max_viewers
    idle = max(0, settings.max_connections - sessions - viewers)
    listed = [
        Share("the program", PROGRAM, ""),
        Share("finals in rooms, twice while many viewers join", 2 * settings.captions_bytes, "captions_bytes"),
        Share(f"{sessions} publishers", sessions * SESSION, "max_sessions"),
        Share("their unacknowledged audio", sessions * settings.max_unacknowledged, "max_sessions, max_unacknowledged"),
        Share("their decoders, if all send containers", sessions * DECODER, "max_sessions"),
        Share(f"{viewers} viewers", viewers * VIEWER, "max_viewers"),
        Share(f"{idle} other connections", idle * CONNECTION, "max_connections"),
    ]
    if settings.transport == MEMORY:
        if settings.refines:
            listed += _second_pass(settings)
        sizes = memory_sizes(settings)
        others = sum(size for topic, size in sizes.items() if topic not in {AUDIO, CAPTIONS, GLOSSARIES})
        listed[1:1] = [
            Share("audio on the log", sizes[AUDIO], "log_bytes, audio_retention"),
            Share("finals on the log", sizes[CAPTIONS], "captions_bytes, captions_retention"),
            Share("partials and dead letters on the log", others, "log_bytes"),
            Share("glossaries on the log", sizes[GLOSSARIES], ""),
        ]
    return listed
