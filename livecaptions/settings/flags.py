"""Every setting as a command-line flag, made from its field: one place says what a setting is."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from livecaptions.settings.fields import Settings
from livecaptions.settings.load import load


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a flag for every setting, ``--config FILE``, and its own options after the ``Effective``.

    Values are handed on as text: validation is the settings' own, the same for every source.
    """

    def run(config: Path | None = None, **flags: Any) -> None:  # noqa: ANN401 - whatever the flags hold
        options = {parameter.name: flags.pop(parameter.name) for parameter in own}
        command(load({name: value for name, value in flags.items() if value not in (None, [])}, config), **options)

    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(command).parameters.values())[1:]
    ]
    parameters = [*own, _parameter("config", Path | None, "A TOML file with any of these settings.", "Sources")]
    for name, field in Settings.model_fields.items():
        kind: Any = bool | None if field.annotation is bool else str | None
        if get_origin(field.annotation) is tuple:
            continue  # tables: in the file, or as JSON in the environment
        parameters.append(_parameter(name, kind, _help(name), Settings.group_of(name), _metavar(field.annotation)))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # how typer is told of made-up parameters
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    return run


def _parameter(name: str, kind: Any, text: str, panel: str, metavar: str | None = None) -> inspect.Parameter:  # noqa: ANN401 - a type
    option = typer.Option(help=text, rich_help_panel=panel, show_default=False, metavar=metavar)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _help(name: str) -> str:
    field = Settings.model_fields[name]
    return f"{field.description} (default: {field.get_default()})"


def _metavar(annotation: Any) -> str:  # noqa: ANN401 - a type
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "|".join(annotation)
    return {int: "N", float: "SECONDS"}.get(annotation, "TEXT")
