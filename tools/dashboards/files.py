"""The files of the dashboards."""

import json
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from tools.dashboards.gateway import gateway
from tools.dashboards.inference import inference
from tools.dashboards.overview import overview

FOLDER = Path(__file__).resolve().parents[2] / "monitoring" / "dashboards"

DASHBOARDS: dict[str, Callable[[], dashboard.Dashboard]] = {
    "overview.json": overview,
    "inference.json": inference,
    "gateway.json": gateway,
}


def rendered(built: dashboard.Dashboard) -> str:
    """Serialise a dashboard. The same dashboard always gives the same text."""
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
