"""The audit log: one line for each action, in the log stream or in a file of its own."""

import logging
import logging.handlers
from pathlib import Path

import structlog

from captions.access import Principal
from captions.errors import SetupError
from captions.ports.audit import Audit, Detail
from captions.track import RoomId
from monitoring.secrets import without_secrets

LOGGER = "audit"
"""The logger of the lines. It has a level of its own: ``log_level`` hides no line."""

VIEWS = "view."
"""The beginning of the actions of viewers."""


class AuditLog(Audit):
    """Writes the audit log. Those who only read captions are in it if ``views`` is true."""

    def __init__(self, *, views: bool) -> None:
        self._views = views
        self._logger = structlog.get_logger(LOGGER)

    def record(
        self,
        *,
        action: str,
        outcome: str,
        principal: Principal | None,
        room: RoomId | None = None,
        address: str | None = None,
        **details: Detail,
    ) -> None:
        """Write a line. Fields without a value are left out."""
        if action.startswith(VIEWS) and not self._views:
            return
        who = {} if principal is None else {"by": principal.subject, "key": principal.credential}
        tenant = room.tenant if room is not None else (principal.tenant if principal is not None else None)
        where = {"tenant": tenant, "room": None if room is None else room.name, "address": address}
        fields = {name: value for name, value in {**who, **where, **details}.items() if value is not None}
        self._logger.info(action, outcome=outcome, **fields)


def configure_audit(file: Path | None) -> None:
    """Write the audit log into ``file`` as lines of JSON, or with the other log lines. Call it after these are set up.

    The file may be moved away while the server runs, as logrotate does. Raises ``SetupError`` if it cannot be written.
    """
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = file is None
    if file is None:
        return
    try:
        handler = logging.handlers.WatchedFileHandler(file, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"cannot write the audit file {file}: {error.strerror}") from error
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    rendered: list[structlog.typing.Processor] = [remove, structlog.processors.JSONRenderer(), without_secrets]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=rendered))
    logger.addHandler(handler)
