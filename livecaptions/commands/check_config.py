"""``livecaptions check-config``: the effective settings and the source of each."""

import json
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Column, Table

from livecaptions.access import check_access, describe_access
from livecaptions.clock import SystemClock
from livecaptions.logs import MEMORY, kafka_settings
from livecaptions.memory import shares
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import Effective
from livecaptions.traces import check_traces
from livecaptions.usage import check_usage
from livecaptions.wiring import check_rooms
from monitoring.secrets import scrubbed

MEGABYTE = 2**20
UNBOUNDED_WIDTH = 10_000
"""Columns of output into a pipe or a file: every setting is a line there, however long its value is."""


class Role(StrEnum):
    """A process that gets settings. ``serve`` is a gateway too."""

    GATEWAY = "gateway"
    WORKER = "worker"


RoleOption = Annotated[
    Role, typer.Option(help="Whose settings they are. A worker lets nobody in: its access is not checked.")
]


def check_config(effective: Effective, role: RoleOption = Role.GATEWAY) -> None:
    """Print the effective settings, their sources, who is let in and the memory they allow.

    Fails if a setting is unknown or wrong.
    """
    if effective.settings.transport != MEMORY:
        kafka_settings(effective.settings)
    check_traces(effective.settings)
    check_rooms(effective.settings)
    if role is Role.GATEWAY:
        check_access(effective.settings)
    check_usage(effective.settings)
    table = Table("group", "setting", Column("value", overflow="fold"), "from", box=None, pad_edge=False)
    for name in Settings.model_fields:
        value = getattr(effective.settings, name)
        table.add_row(Settings.group_of(name), name, _shown(value), effective.origins[name])
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console = Console(soft_wrap=True, width=UNBOUNDED_WIDTH)
    console.print(table)
    if role is Role.GATEWAY:
        access = scrubbed(describe_access(effective.settings, SystemClock()))
        console.print("", f"access: {access}", "", sep="\n", markup=False)
        console.print(_memory(effective.settings))


def _memory(settings: Settings) -> Table:
    role = "serve" if settings.transport == MEMORY else "a gateway"
    listed = shares(settings)
    table = Table("max MB", f"memory of {role}", box=None, pad_edge=False)
    for share in listed:
        bounds = f" ({share.bounded_by})" if share.bounded_by else ""
        table.add_row(f"{share.most / MEGABYTE:.0f}", share.what + bounds)
    table.add_row(f"{sum(share.most for share in listed) / MEGABYTE:.0f}", _total(settings))
    return table


def _total(settings: Settings) -> str:
    """What the last row says. The second pass in ``serve`` has weights of its own, also where its model is the same."""
    if settings.transport != MEMORY or not settings.refines:
        return "total, plus the model"
    second = "again for the second pass" if settings.refine_model is None else f"refine_model {settings.refine_model}"
    return f"total, plus the model, and {second}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return json.dumps([v.model_dump(mode="json") if isinstance(v, BaseModel) else v for v in value])
    return scrubbed(str(value))
