"""``livecaptions check-config``: the effective settings and where each came from."""

import json

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from livecaptions.logs import MEMORY, kafka_settings
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import Effective
from livecaptions.traces import check_traces


def check_config(effective: Effective) -> None:
    """Print the effective settings with where each came from; refuse unknown keys and wrong values."""
    if effective.settings.transport != MEMORY:
        kafka_settings(effective.settings)
    check_traces(effective.settings)
    table = Table("group", "setting", "value", "from", box=None, pad_edge=False)
    for name in Settings.model_fields:
        value = getattr(effective.settings, name)
        table.add_row(Settings.group_of(name), name, _shown(value), effective.origins[name])
    Console(soft_wrap=True).print(table)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return json.dumps([v.model_dump(mode="json") if isinstance(v, BaseModel) else v for v in value])
    return str(value)
