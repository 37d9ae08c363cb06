"""The log in this process's memory: product code, the log of ``livecaptions serve``."""

from transport.memory.log import MemoryLog, TopicSettings

__all__ = ["MemoryLog", "TopicSettings"]
