"""Conversion of Kafka's messages to entries."""

from typing import Any

from captions.ports.log import Entry, Record

MILLISECONDS = 1000.0


def entry_of(topic: str, message: Any) -> Entry:  # noqa: ANN401 - aiokafka has no types
    """Convert a consumed message. ``topic`` is the topic's name without prefix."""
    headers = {name: bytes(value) if value is not None else b"" for name, value in message.headers}
    record = Record((message.key or b"").decode(errors="replace"), message.value or b"", headers)
    return Entry(topic, message.partition, message.offset, message.timestamp / MILLISECONDS, record)
