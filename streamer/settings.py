"""What the gateway can be told, with units."""

from dataclasses import dataclass, field

from captions.segmenter import SegmenterSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Settings of one gateway. Durations are seconds, sizes bytes; the composition root knows the defaults' reasons."""

    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    language: str = "auto"
    resume_window: float = 60.0
    close_window: float = 2.0
    """Like ``resume_window``, where the publisher closed its connection without ``end``."""
    stall_timeout: float = 10.0
    idle_timeout: float = 60.0
    max_sessions: int = 200
    max_tracks: int = 50
    """Sessions a room."""
    max_viewers: int = 5000
    max_unacknowledged: int = 4 * 1024 * 1024
    overload_after: float = 8.0
    viewer_backlog: int = 512
    history_bytes: int = 64 * 1024 * 1024
    """Of finals that all rooms hold together."""
    send_timeout: float = 10.0
    done_timeout: float = 30.0
    """After ``end``, between two finals; a publisher is not kept longer where none comes."""
