"""The settings of a gateway, with units."""

from dataclasses import dataclass, field

from captions.limits import Allowance
from captions.segmenter import SegmenterSettings

UNLIMITED = Allowance()

HALL = Allowance(connections=200)
"""The default of an address, behind which a whole hall may be: 6,000 clients may connect at once (``BURST``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Settings of one gateway. Durations are in seconds, sizes in bytes. ``livecaptions.settings`` explains them."""

    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    language: str = "auto"
    languages: tuple[str, ...] = ()
    resume_window: float = 60.0
    """How long a session waits for its publisher after a lost connection."""
    close_window: float = 2.0
    """The same for a publisher that closed its connection on purpose, but without ``end``."""
    stall_timeout: float = 10.0
    idle_timeout: float = 60.0
    max_sessions: int = 200
    max_tracks: int = 50
    """Sessions per room."""
    max_viewers: int = 5000
    max_unacknowledged: int = 4 * 1024 * 1024
    overload_after: float = 8.0
    viewer_backlog: int = 512
    history_bytes: int = 64 * 1024 * 1024
    """Memory for the history of all rooms together."""
    send_timeout: float = 10.0
    done_timeout: float = 30.0
    """After ``end``, the longest wait for the next final before the publisher is disconnected."""
    key_limits: Allowance = UNLIMITED
    tenant_limits: Allowance = UNLIMITED
    address_limits: Allowance = HALL
    audio_burst: float = 120.0
    """Seconds of audio that a session may send faster than ``speed``: twice ``resume_window``, to catch up after it."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of other sites' pages that may use this server, as browsers write them; ``*`` is every site."""
    public_url: str | None = None
    """The server's address as browsers have it; None: the one that each request is sent to."""
    local_only: bool = False
    """Refuse requests to any other name than this machine's own: on an open server they come by DNS rebinding."""
