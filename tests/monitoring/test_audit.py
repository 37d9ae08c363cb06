"""The audit log's lines: complete, never hidden by the log level, and in a file if one is set."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from captions.access import Principal, Right
from captions.errors import SetupError
from captions.track import RoomId
from monitoring.audit import LOGGER, AuditLog, configure_audit
from monitoring.logs import configure_logs

ADA = Principal(rooms=("*",), rights=frozenset({Right.MANAGE}), tenant="acme", subject="ada", credential="k1")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    configure_audit(None)
    logging.getLogger(LOGGER).setLevel(logging.NOTSET)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def record(audit: AuditLog, action: str = "room.deleted") -> None:
    audit.record(action=action, outcome="ok", principal=ADA, room=RoomId("hall", "acme"), address="::1", seconds=None)


def test_a_line_says_who_did_what_where_and_no_level_hides_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "error")
    configure_audit(None)
    record(AuditLog(views=False))
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp")
    assert line == {
        "event": "room.deleted",
        "outcome": "ok",
        "by": "ada",
        "key": "k1",
        "tenant": "acme",
        "room": "hall",
        "address": "::1",
        "logger": "audit",
        "level": "info",
    }


def test_nobody_and_no_room_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    configure_audit(None)
    AuditLog(views=False).record(action="access.refused", outcome="unauthorized", principal=None)
    assert set(json.loads(capsys.readouterr().err)) == {"event", "outcome", "timestamp", "logger", "level"}


def test_viewers_are_in_it_if_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    configure_audit(None)
    record(AuditLog(views=False), "view.connected")
    assert not capsys.readouterr().err
    record(AuditLog(views=True), "view.connected")
    assert "view.connected" in capsys.readouterr().err


def test_a_file_gets_lines_of_json_and_may_be_moved_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "info")
    configure_audit(tmp_path / "audit.jsonl")
    record(audit := AuditLog(views=False))
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.1")
    record(audit)
    for name in ("audit.jsonl", "audit.1"):
        (line,) = (tmp_path / name).read_text().splitlines()
        assert (json.loads(line)["event"], json.loads(line)["room"]) == ("room.deleted", "hall")
    assert not capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot write the audit file"):
        configure_audit(tmp_path)


def test_a_file_gets_no_tokens(tmp_path: Path) -> None:
    configure_audit(tmp_path / "audit.log")
    AuditLog(views=False).record(
        action="access.refused", outcome="unauthorized", principal=None, path="/r/lck_1_secret"
    )
    assert "secret" not in (tmp_path / "audit.log").read_text()
