"""Tracebacks without what was said: without local variables, and without messages that may quote it."""

from collections.abc import Iterator
from traceback import StackSummary, walk_tb
from types import TracebackType
from typing import Any, TextIO

from structlog.tracebacks import ExceptionDictTransformer

from captions.withheld import SAFE, WITHHELD, name_of

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"


def write_traceback(out: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback for people, with the causes of the error."""
    out.write("\n".join(_parts(exc_info[1], set())))


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    earlier, link = error.__cause__, CAUSE
    if earlier is None and not error.__suppress_context__:
        earlier, link = error.__context__, CONTEXT
    if earlier is not None and id(earlier) not in seen:
        yield from _parts(earlier, seen)
        yield f"\n{link}\n"
    frames = "".join(StackSummary.extract(walk_tb(error.__traceback__)).format())
    yield f"Traceback (most recent call last):\n{frames}{name_of(error)}"
    if isinstance(error, BaseExceptionGroup):
        for number, inner in enumerate(error.exceptions, 1):
            if id(inner) not in seen:
                yield f"\n{number} of {len(error.exceptions)} in the group:\n"
                yield from _parts(inner, seen)


class TracebackDicts:
    """Converts a traceback to values for JSON, without local variables."""

    def __init__(self) -> None:
        self._transform = ExceptionDictTransformer(show_locals=False)

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        """One dictionary for each exception of the chain."""
        listed = self._transform(exc_info)
        _withhold(listed)
        return listed


def _withhold(listed: list[dict[str, Any]]) -> None:
    """Withhold messages by the names of types: the transformer does not keep the exceptions themselves."""
    for found in listed:
        if not _is_safe(str(found["exc_type"])) and found["exc_value"]:
            found["exc_value"] = WITHHELD
        found["exc_notes"] = []
        for group in found.get("exceptions") or []:
            _withhold(group)


def _is_safe(name: str) -> bool:
    return any(kind.__name__ == name for safe in SAFE for kind in _subclasses(safe))


def _subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for sub in kind.__subclasses__():
        yield from _subclasses(sub)
