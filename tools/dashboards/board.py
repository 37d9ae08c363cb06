"""What all dashboards share: variables, links and rows."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import dashboard

from tools.dashboards.panels import SOURCE, Panel

TAG = "livecaptions"
EVERYTHING = dashboard.VariableOption(selected=True, text="All", value="$__all")


class Row(NamedTuple):
    """A row of panels with a headline."""

    title: str
    panels: Sequence[Panel]


def board(uid: str, title: str, says: str, rows: Sequence[Row]) -> dashboard.Dashboard:
    """Build a dashboard from its rows."""
    built = (
        dashboard_builders.Dashboard(title)
        .uid(uid)
        .description(says)
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-30m", "now")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard_builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_instances())
        .link(_others())
    )
    for row in rows:
        built = built.with_row(dashboard_builders.Row(row.title))
        for panel in row.panels:
            built = built.with_panel(panel)
    finished = built.build()
    for number, placed in enumerate(finished.panels or [], 1):
        placed.id_val = number
    return finished


def _instances() -> dashboard_builders.QueryVariable:
    return (
        dashboard_builders.QueryVariable("instance")
        .label("Process")
        .query("label_values(livecaptions_build_info, instance)")
        .datasource(SOURCE)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(EVERYTHING)
    )


def _others() -> dashboard_builders.DashboardLink:
    return (
        dashboard_builders.DashboardLink("Live captions")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(True)
        .include_vars(True)
    )
