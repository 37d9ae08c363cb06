"""Messages of errors, for logs: without what was said.

Python's and pydantic's errors about values quote the value: ``KeyError: 'what somebody said'``. So logs show the
messages of our own errors and of errors about the machine, and of others only their types.
"""

from captions.errors import LivecaptionsError

SAFE = (LivecaptionsError, OSError, MemoryError, RuntimeError, ImportError, EOFError)
"""The errors whose messages are shown: those of the system, of brokers and of native libraries."""

WITHHELD = "(message withheld: it may quote what was said)"


def message_of(error: BaseException) -> str:
    """The error's message, unless it may quote what was said."""
    message = str(error)
    return message if isinstance(error, SAFE) or not message else WITHHELD


def name_of(error: BaseException) -> str:
    """The error's type, with its message unless that may quote what was said."""
    message = message_of(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
