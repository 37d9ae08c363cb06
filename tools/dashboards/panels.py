"""The kinds of panels: a number, lines, or a distribution over time. Each description says what good values are."""

from enum import StrEnum
from typing import NamedTuple

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard, units
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.goals import Goal

Panel = Builder[dashboard.Panel]
"""A builder of a panel of any kind."""

SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

ANY_IS_BAD = Goal(0.0, 0.0)
"""The goal of counts that should be zero."""


class Unit(StrEnum):
    """Grafana's names of units."""

    COUNT = units.Short
    SECONDS = units.Seconds
    SHARE = units.PercentUnit
    BYTES = units.BytesIEC
    PER_SECOND = units.CountsPerSecond
    PER_MINUTE = units.CountsPerMinute
    REQUESTS = units.RequestsPerSecond
    RATIO = units.Number


class Query(NamedTuple):
    """A PromQL expression and the legend of its series. ``{{label}}`` in the legend is the value of a label."""

    expression: str
    legend: str


class Look(NamedTuple):
    """The title, description and unit of a panel. The description says what it shows and what good values are."""

    title: str
    description: str
    unit: Unit


def seconds(bound: float) -> str:
    """Seconds as text for a description."""
    return f"{bound:g} s"


def percent(share: float) -> str:
    """A share as a percentage, for a description."""
    return f"{share * 100:g} %"


def number(look: Look, query: Query, *, goal: Goal | None = None, width: int = 4) -> stat.Panel:
    """A panel with the current value and its recent history in the background."""
    return (
        stat.Panel()
        .title(look.title)
        .description(look.description)
        .unit(look.unit)
        .datasource(SOURCE)
        .targets([_target(0, query)])
        .thresholds(_thresholds(goal))
        .color_scheme(_colours("thresholds"))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
        .text_mode(common.BigValueTextMode.VALUE)
        .no_value("-")
        .span(width)
        .height(4)
    )


def lines(
    look: Look,
    *queries: Query,
    goal: Goal | None = None,
    width: int = 8,
    stacked: bool = False,
    top: float | None = None,
) -> timeseries.Panel:
    """A panel with one line per series, and dashed lines for the limits of the goal."""
    panel = (
        timeseries.Panel()
        .title(look.title)
        .description(look.description)
        .unit(look.unit)
        .datasource(SOURCE)
        .targets([_target(place, query) for place, query in enumerate(queries)])
        .thresholds(_thresholds(goal))
        .thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(
                common.GraphThresholdsStyleMode.DASHED if goal else common.GraphThresholdsStyleMode.OFF
            )
        )
        .color_scheme(_colours("palette-classic"))
        .legend(_legend())
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .line_width(2)
        .fill_opacity(20 if stacked else 5)
        .show_points(common.VisibilityMode.NEVER)
        .min(0)
        .span(width)
        .height(8)
    )
    if stacked:
        panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    return panel if top is None else panel.max(top)


def distribution(look: Look, query: Query, *, width: int = 8) -> heatmap.Panel:
    """A heatmap of a histogram's buckets over time. Brighter means more. The unit is that of the buckets' bounds."""
    return (
        heatmap.Panel()
        .title(look.title)
        .description(look.description)
        .datasource(SOURCE)
        .targets([_target(0, query).format(PromQueryFormat.HEATMAP)])
        .calculate(False)
        .unit(Unit.PER_SECOND)
        .y_axis(heatmap.YAxisConfig().unit(look.unit).axis_placement(common.AxisPlacement.LEFT))
        .color(heatmap.HeatmapColorOptions().mode(heatmap_models.HeatmapColorMode.SCHEME).scheme("Viridis").steps(64))
        .show_legend()
        .thresholds(_thresholds(None))
        .span(width)
        .height(8)
    )


def _target(place: int, query: Query) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .ref_id("ABCDEFGH"[place])
        .expr(query.expression)
        .legend_format(query.legend)
        .datasource(SOURCE)
        .range()
    )


def _legend() -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
        .sort_by("Max")
        .sort_desc(True)
    )


def _colours(mode: str) -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId(mode))


def _thresholds(goal: Goal | None) -> dashboard_builders.ThresholdsConfig:
    """Thresholds are always set, because Grafana's default is red from 80 on."""
    return dashboard_builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(_steps(goal))


def _steps(goal: Goal | None) -> list[dashboard.Threshold]:
    at = dashboard.Threshold
    if goal is None:
        return [at(value=None, color="blue")]
    if goal == ANY_IS_BAD:
        return [at(value=None, color="green"), at(value=1e-9, color="red")]
    if goal.good > goal.bearable:
        return [
            at(value=None, color="red"),
            at(value=goal.bearable, color="yellow"),
            at(value=goal.good, color="green"),
        ]
    return [at(value=None, color="green"), at(value=goal.good, color="yellow"), at(value=goal.bearable, color="red")]
