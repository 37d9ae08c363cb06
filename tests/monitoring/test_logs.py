import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from captions.errors import RecordError
from monitoring.logs import configure_logs


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_ours_and_the_libraries_lines_are_json_with_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    with structlog.contextvars.bound_contextvars(session="s1", room="hall"):
        structlog.get_logger("ours").info("publisher_connected", track="main")
        logging.getLogger("theirs").warning("slow %s", "disk")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["session"], ours["track"], ours["level"]) == (
        "publisher_connected",
        "s1",
        "main",
        "info",
    )
    assert (theirs["event"], theirs["room"], theirs["level"]) == ("slow disk", "hall", "warning")


def test_a_traceback_is_kept_and_lower_levels_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "warning")
    logger = structlog.get_logger("ours")
    logger.info("nothing")
    try:
        int("odd")
    except ValueError:
        logger.exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"][0]["exc_type"] == "ValueError"


def test_the_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "info")
    structlog.get_logger("ours").info("serving", port=8080)
    assert "serving" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_tells_no_secrets(form: Literal["json", "console"], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(form, "info")
    token = "secret" * 3  # not in the source as it is printed
    try:
        int("odd")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    out = capsys.readouterr().err
    assert "ValueError" in out
    assert token not in out


def test_a_refused_handshake_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    logging.getLogger("uvicorn.error").error("ASGI callable returned without completing handshake.")
    logging.getLogger("uvicorn.error").error("something else")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "something else"


@pytest.mark.parametrize("form", ["json", "console"])
def test_messages_that_quote_values_are_withheld_in_the_whole_chain(
    form: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(form, "info")
    said = "wunder" + "kammer"  # not in the source as it is printed
    try:
        try:
            try:
                dict[str, str]()[said]
            except KeyError as error:
                raise RecordError("not a caption") from error
        except RecordError:
            raise ExceptionGroup("several", [ValueError(said), OSError("disk full")])  # noqa: B904 - a context, no cause
    except ExceptionGroup:
        structlog.get_logger("ours").exception("failed")
    printed = capsys.readouterr().err
    assert said not in printed
    for told in ("KeyError", "RecordError", "not a caption", "ExceptionGroup", "ValueError", "OSError", "disk full"):
        assert told in printed, told
    assert "test_messages_that_quote_values" in printed  # where it happened


def test_strangers_do_not_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "info")
    structlog.get_logger("here").info("refused", path="/\x1b[2J\x07\x9b31m\u202eslaps\nnext")
    shown = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
    assert "\\x1b[2J" in shown


def test_a_login_in_an_address_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    structlog.get_logger("here").warning("jwks_not_read", source="https://user:hunter2@id.example/jwks")
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert "id.example/jwks" in shown
