"""Why a server closed a connection that asked for too much, too slowly, or not in HTTP's or WebSocket's terms."""

from enum import StrEnum


class ConnectionEnd(StrEnum):
    """The reasons, as metrics name them."""

    FULL = "full"
    """There are as many connections as the server or the address may have."""
    CROWDED = "crowded"
    """It had asked for nothing when others needed its place."""
    LATE = "late"
    """Its request was not complete in time."""
    LARGE = "large"
    """The head or the body of its request was too large."""
    PIPELINED = "pipelined"
    """It sent too many requests before it had the answers."""
    MALFORMED = "malformed"
    """It broke the rules of HTTP or of WebSockets."""
    PINGS = "pings"
    """It sent too many pings or pongs."""
    FRAGMENTS = "fragments"
    """It sent a message in too many fragments."""
    UNREAD = "unread"
    """It did not read what was sent to it before the connection was closed."""
