"""The Log port in memory. ``livecaptions serve`` uses it by default."""

from transport.memory.log import MemoryLog, TopicSettings

__all__ = ["MemoryLog", "TopicSettings"]
