"""Structured logs: one event per line, with session, room and track. Log lines of libraries get the same format."""

import logging
import sys
from typing import Literal

import structlog

from monitoring.secrets import without_secrets
from monitoring.tracebacks import TracebackDicts, write_traceback

CHATTY = ("aiokafka", "uvicorn", "uvicorn.error", "httpx", "httpcore", "websockets", "libav")
"""Loggers whose lines below level warning repeat our own."""

_NO_NEWS = frozenset(
    {
        "ASGI callable returned without completing handshake.",  # a handshake refused with a response, which is normal
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "Invalid UTF-8 sequence received from client.",
    }
)
"""What uvicorn logs for every request or message that a client gets wrong. Metrics count them."""


def configure_logs(form: Literal["console", "json"], level: str) -> None:
    """Write all log lines, including those of libraries, to standard error in ``form``, from ``level`` on.

    Tracebacks show no local variables and no messages that quote values: both may contain speech and tokens. Tokens are
    removed from addresses and headers, whoever logs them and at whichever level.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(form),
                without_secrets,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("uvicorn.error").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg not in _NO_NEWS


def _printable(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what would move a terminal's cursor or change its colours: names and paths come from strangers."""
    return {name: _escaped(value) if isinstance(value, str) else value for name, value in fields.items()}


def _escaped(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _renderers(form: Literal["console", "json"]) -> list[structlog.typing.Processor]:
    if form == "json":
        return [structlog.processors.ExceptionRenderer(TracebackDicts()), structlog.processors.JSONRenderer()]
    return [
        _printable,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=write_traceback),
    ]
