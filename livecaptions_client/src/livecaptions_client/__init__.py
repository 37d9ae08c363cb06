"""An async client of livecaptions. It publishes audio into a room and views a room's captions."""

from livecaptions_client.errors import AddressError, ClientError, RefusedError, UnreachableError
from livecaptions_client.events import (
    Ack,
    AudioWarning,
    Caption,
    Deleted,
    Done,
    Error,
    Event,
    Gap,
    Live,
    Ready,
    Reconnecting,
    Restarted,
    Track,
    Unknown,
    Word,
)
from livecaptions_client.publication import Publication, publish
from livecaptions_client.viewing import view

__all__ = [
    "Ack",
    "AddressError",
    "AudioWarning",
    "Caption",
    "ClientError",
    "Deleted",
    "Done",
    "Error",
    "Event",
    "Gap",
    "Live",
    "Publication",
    "Ready",
    "Reconnecting",
    "RefusedError",
    "Restarted",
    "Track",
    "Unknown",
    "UnreachableError",
    "Word",
    "publish",
    "view",
]
