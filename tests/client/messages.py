"""Messages as a server sends them, and their events."""

import json
from typing import Any

from livecaptions_client import Caption, Event
from livecaptions_client.reading import read_event

Message = dict[str, Any]


def caption_message(text: str, **fields: object) -> Message:
    return {
        "type": "caption", "room": "hall", "track": "main", "speaker": None, "utterance": 1, "pass": "live",
        "revision": 1, "final": False, "language": "en", "start": 1.0, "end": 2.0,
        "started_at": "2026-11-23T17:58:03.120Z", "text": text, "stable": 0, **fields,
    }  # fmt: skip


def event_of(message: Message) -> Event:
    return read_event(json.dumps(message))


def caption_of(text: str, **fields: object) -> Caption:
    event = event_of(caption_message(text, **fields))
    assert isinstance(event, Caption)
    return event
