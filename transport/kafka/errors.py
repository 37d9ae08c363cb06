"""Conversion of aiokafka's errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from captions.errors import LogError


@contextmanager
def as_log_errors(doing: str) -> Iterator[None]:
    """Raise aiokafka's errors as ``LogError``. ``doing`` says what failed."""
    try:
        yield
    except KafkaError as error:
        raise LogError(f"{doing}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """The name and message of ``error``."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
