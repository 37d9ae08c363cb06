"""Settings from flags, environment and file, each value with where it came from.

A flag beats the environment, the environment beats the file, the file beats the default. Nothing unknown is
let through: a misspelt key is an error that names the nearest right one.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from captions.errors import SetupError
from captions.explain import problem_of
from livecaptions.settings.fields import ENV_PREFIX, Settings

SECRETS = ("tokens", "kafka_password", "jwt_secret", "oidc_client_secret")
"""Fields whose values are never repeated."""

CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
"""Names the file where no ``--config`` does."""


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings in force; ``origins`` says of every field which source gave it."""

    settings: Settings
    origins: Mapping[str, str]


def load(flags: Mapping[str, Any], config: Path | None = None) -> Effective:
    """Read every source and validate what they say together.

    ``flags`` holds those given, by field name. Raises ``SetupError`` naming each wrong key or value and its source.
    """
    path = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for source, of_field in (
        (_from_file(path), "file {path}"),
        (_from_environment(), "environment {variable}"),
        (flags, "flag {flag}"),
    ):
        for field, value in source.items():
            values[field] = value
            variable, flag = ENV_PREFIX + field.upper(), "--" + field.replace("_", "-")
            origins[field] = of_field.format(path=path, variable=variable, flag=flag)
    try:
        return Effective(Settings.model_validate(values), origins)
    except ValidationError as error:
        raise SetupError(_explain(error, origins)) from error


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the settings file {path} is not TOML: {error}") from error
    _refuse_unknown(values, f"in {path}")
    return values


def _from_environment() -> dict[str, Any]:
    given = {key for key in os.environ if key.startswith(ENV_PREFIX) and key != CONFIG_VARIABLE}
    _refuse_unknown(
        (key.removeprefix(ENV_PREFIX).lower() for key in given), "in the environment", ENV_PREFIX, str.upper
    )
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))
        variable = ENV_PREFIX + named[1].upper() if named else "a variable"
        raise SetupError(f'{variable} in the environment has to be JSON, as [{{"token": "..."}}] is') from error


def _refuse_unknown(keys: Any, where: str, prefix: str = "", spelt: Any = str) -> None:  # noqa: ANN401 - any iterable, any str -> str
    for key in sorted(set(keys) - set(Settings.model_fields)):
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"; did you mean {prefix}{spelt(near[0])}?" if near else "; see livecaptions check-config for every key"
        raise SetupError(f"unknown setting {prefix}{spelt(key)} {where}{hint}")


def _explain(error: ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        field, *deeper = problem["loc"] or ("settings",)
        place = ".".join(str(part) for part in (field, *deeper))
        source = f" ({origins[str(field)]})" if str(field) in origins else ""
        wrong = problem_of(problem)
        if problem["type"] == "tuple_type" and isinstance(problem["input"], dict):
            wrong = f"is one table; write [[{field}]], with two brackets, for each of a list"
        given = f" is {_as_written(problem['input'])}" if not deeper and field not in SECRETS else ""
        lines.append(f"{place}{given}{source}: {wrong}")
    return "\n".join(lines)


def _as_written(value: object) -> str:
    """A value as TOML and JSON have it."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)
