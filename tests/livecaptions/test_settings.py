from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from captions.access import Right
from captions.errors import SetupError
from captions.limits import Allowance, Scope
from livecaptions.cli import app
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import load
from streamer.settings import HALL


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"LIVECAPTIONS_{name.upper()}", raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "livecaptions.toml"


def test_without_sources_everything_is_a_default() -> None:
    effective = load({})
    assert effective.settings == Settings()
    assert set(effective.origins.values()) == {"default"}


def test_a_flag_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    config.write_text('port = 1\nhost = "file"\nvad = "silero"\n')
    monkeypatch.setenv("LIVECAPTIONS_PORT", "2")
    monkeypatch.setenv("LIVECAPTIONS_HOST", "environment")
    effective = load({"port": "3"}, config)
    assert (effective.settings.port, effective.settings.host, effective.settings.vad) == (3, "environment", "silero")
    assert effective.origins["port"] == "flag --port"
    assert effective.origins["host"] == "environment LIVECAPTIONS_HOST"
    assert effective.origins["vad"] == f"file {config}"
    assert effective.origins["model"] == "default"


def test_the_environment_can_name_the_file(monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    config.write_text("port = 1234\n")
    monkeypatch.setenv("LIVECAPTIONS_CONFIG", str(config))
    assert load({}).settings.port == 1234


def test_tokens_are_tables_in_the_file_and_json_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    config.write_text('[[tokens]]\ntoken = "s3cret"\nrooms = ["main-*"]\nrights = ["view"]\n')
    (token,) = load({}, config).settings.tokens
    assert (token.token.get_secret_value(), token.rooms, token.rights) == (
        "s3cret",
        ("main-*",),
        frozenset({Right.VIEW}),
    )
    monkeypatch.setenv("LIVECAPTIONS_TOKENS", '[{"token": "other"}]')
    (token,) = load({}, config).settings.tokens
    assert token.token.get_secret_value() == "other"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "did you mean port?"),
        ("port = 70000", "port is 70000"),
        ('vad = "psychic"', "'cascade', 'silero' or 'webrtc'"),
        ("port = [", "is not TOML"),
        ("port = 'all'", 'port is "all"'),
        ("port = 'all'", "has to be a whole number"),
        ("[[tokens]]\nrights = ['fly']", "tokens.0.rights.0"),
        ("[tokens]\ntoken = 's3cret'", "tokens (file {config}): is one table; write [[tokens]], with two brackets"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(config: Path, text: str, says: str) -> None:
    config.write_text(text)
    with pytest.raises(SetupError) as error:
        load({}, config)
    assert says.format(config=config) in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_missing_file_is_named(config: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        load({}, config)


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAPTIONS_PROT", "1")
    with pytest.raises(SetupError, match="did you mean LIVECAPTIONS_PORT"):
        load({})


def test_tokens_that_are_not_json_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAPTIONS_TOKENS", "s3cret")
    with pytest.raises(SetupError, match="LIVECAPTIONS_TOKENS in the environment has to be JSON") as error:
        load({})
    assert "s3cret" not in str(error.value)


def test_check_config_shows_every_setting_and_hides_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAPTIONS_TOKENS", '[{"token": "s3cret"}]')
    result = CliRunner().invoke(app, ["check-config", "--port", "99"])
    assert result.exit_code == 0
    assert "s3cret" not in result.output
    assert "flag --port" in result.output
    for name in Settings.model_fields:
        assert name in result.output


def test_check_config_says_who_is_let_in_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAPTIONS_JWT_SECRET", "s3cret of thirty-two bytes or more")
    result = CliRunner().invoke(app, ["check-config", "--host", "0.0.0.0", "--jwt-audience", "captions"])  # noqa: S104 - with keys
    assert "\naccess: JWT from jwt_secret, audience captions\n" in result.output
    assert "s3cret" not in result.output


def test_check_config_shows_no_login_of_an_address() -> None:
    arguments = ["check-config", "--jwt-jwks", "https://user:hunter2@id.example/jwks"]
    output = CliRunner().invoke(app, arguments).output
    assert output.count("@id.example/jwks") == 2  # among the settings, and where access is summed up
    assert "hunter2" not in output


def test_check_config_asks_a_worker_for_no_keys() -> None:
    arguments = ["check-config", "--host", "0.0.0.0", "--transport", "kafka://localhost:9092"]  # noqa: S104 - for its metrics
    refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, SetupError)
    assert "livecaptions keys create" in str(refused.exception)
    result = CliRunner().invoke(app, [*arguments, "--role", "worker"])
    assert result.exit_code == 0
    assert "access:" not in result.output


def test_check_config_says_what_memory_a_server_may_take() -> None:
    arguments = ["check-config", "--log-bytes", str(800 * 2**20), "--captions-bytes", str(50 * 2**20)]
    output = CliRunner().invoke(app, arguments).output
    rows = output.partition("memory of serve")[2].strip().splitlines()
    told = {what.partition(" (")[0].strip(): int(most) for most, what in (row.split(maxsplit=1) for row in rows)}
    assert told["audio on the log"] == 800
    assert told["finals on the log"] == 50
    assert told["partials and dead letters on the log"] == 200
    assert told["glossaries on the log"] == 4
    assert told["finals in rooms, twice while many viewers join"] == 100
    together = told.pop("total, plus the model")
    assert together == pytest.approx(sum(told.values()), abs=5)
    twice = CliRunner().invoke(app, ["check-config", "--refine", "on"]).output
    assert "110     speech that waits for its second pass" in twice
    assert "total, plus the model, and again for the second pass" in twice
    over_kafka = CliRunner().invoke(app, ["check-config", "--transport", "kafka://localhost:9092"]).output
    assert "memory of a gateway" in over_kafka
    assert "on the log" not in over_kafka


def test_limits_are_those_of_the_three_kinds_of_account(config: Path) -> None:
    config.write_text("key_sessions = 3\ntenant_minutes = 600.5\naddress_connections = 0\naddress_speed = 2\n")
    settings = load({}, config).settings
    assert settings.allowance_of(Scope.KEY) == Allowance(sessions=3)
    assert settings.allowance_of(Scope.TENANT) == Allowance(minutes=600.5)
    assert settings.allowance_of(Scope.ADDRESS) == Allowance(speed=2)
    assert Settings().allowance_of(Scope.ADDRESS) == Allowance(connections=200)
    for scope in Scope:
        for name in Allowance.model_fields:
            assert (f"{scope}_{name}" in Settings.model_fields) == ((scope, name) != ("address", "minutes"))


def test_every_limit_is_in_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
    for name in Allowance.model_fields:
        assert f"| `_{name}` |" in page
    assert f"{HALL.connections:g}" in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('trusted_proxies = ["proxy.example.org"]', "has to be an address or a network"),
        ('trusted_proxies = ["*"]', "has to be an address or a network"),
        ('trusted_proxies = ["10.0.0.1/8"]', "has to be an address or a network"),
        ("key_speed = 0.5", "has to be 1 or more"),
        ("key_sessions = -1", "has to be 0 or more"),
        ("audio_burst = 0", "has to be more than 0"),
    ],
)
def test_what_no_limit_can_be_is_named(config: Path, text: str, says: str) -> None:
    config.write_text(text + "\n")
    with pytest.raises(SetupError, match=says):
        load({}, config)


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gateway"], "--transport kafka://HOST:PORT"),
        (["worker"], "--transport kafka://HOST:PORT"),
        (["topics"], "--transport kafka://HOST:PORT"),
        (["check-config", "--transport", "rabbit://here"], "not a valid transport"),
        (["check-config", "--transport", "kafka://here", "--kafka-sasl", "PLAIN"], "needs kafka_username"),
        (["check-config", "--audio-retention", "5"], "audio_retention"),
    ],
)
def test_what_kafka_needs_is_said(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SetupError)
    assert says in str(result.exception)


@pytest.mark.parametrize("arguments", [["--language", "klingon!"], ["--endpoint", "inf"], ["--audio-retention", "inf"]])
def test_what_no_session_could_use_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["check-config", *arguments])
    assert isinstance(result.exception, SetupError)
    assert arguments[0].strip("-").replace("-", "_") in str(result.exception)


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == f"livecaptions {version('livecaptions')}\n"


@pytest.mark.parametrize(
    ("refine", "model", "refines"),
    [("auto", None, False), ("auto", "base", True), ("on", None, True), ("off", "base", False)],
)
def test_serve_refines_if_told_to_or_given_a_model_for_it(refine: str, model: str | None, *, refines: bool) -> None:
    assert Settings.model_validate({"refine": refine, "refine_model": model}).refines is refines
