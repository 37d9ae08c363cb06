"""The dashboards as they are kept: made by their generator, and such that a human understands them."""

import itertools
from pathlib import Path

import pytest
import yaml

from tests.monitoring.panels import PANELS, Panel, kept
from tools.dashboards.files import DASHBOARDS, FOLDER, rendered

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_what_is_kept_is_what_the_generator_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == rendered(DASHBOARDS[name]()), "make dashboards"


def test_nothing_else_is_kept() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(DASHBOARDS)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_what_is_good(panel: Panel) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert len(panel["description"]) > 30
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_of_the_chosen_processes_and_names_what_it_gets(panel: Panel) -> None:
    legends = [target["legendFormat"] for target in panel["targets"]]
    assert len(set(legends)) == len(legends) > 0
    assert all(legends)
    for target in panel["targets"]:
        assert 'instance=~"$instance"' in target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_rows_are_full_and_nothing_overlaps(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in kept(name)["panels"]:
        at = panel["gridPos"]
        for x, y in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
            taken[x, y] = panel["title"]
    columns, lines = {x for x, _ in taken}, {y for _, y in taken}
    assert columns == set(range(24))
    assert len(taken) == 24 * len(lines), "a row is not full"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_row_is_never_empty_and_titles_are_told_apart(name: str) -> None:
    panels = kept(name)["panels"]
    kinds = [panel["type"] for panel in panels]
    assert "row" not in {after for before, after in itertools.pairwise([*kinds, "row"]) if before == "row"}
    titles = [panel["title"] for panel in panels]
    assert len(set(titles)) == len(titles)
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_source_and_the_processes_are_chosen(name: str) -> None:
    board = kept(name)
    assert {variable["name"]: variable["type"] for variable in board["templating"]["list"]} == {
        "datasource": "datasource",
        "instance": "query",
    }
    assert board["uid"].startswith("livecaptions-")
    assert board["links"][0]["tags"] == board["tags"]


def test_compose_brings_grafana_up_with_them() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    mounts = dict(volume.split(":")[:2] for volume in compose["grafana"]["volumes"])
    provisioning = ROOT / next(host for host, inside in mounts.items() if inside == "/etc/grafana/provisioning")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "livecaptions.yaml").read_text())["providers"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    scraped = yaml.safe_load((ROOT / "monitoring" / "prometheus" / "prometheus.yml").read_text())
    assert (ROOT / next(host for host, inside in mounts.items() if inside == provider["options"]["path"])) == FOLDER
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
    home = compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in DASHBOARDS
