import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench.capacity import report
from bench.capacity.compared import compare
from bench.capacity.goals import Goals
from bench.capacity.level import Spread
from bench.capacity.plot import picture
from tests.bench.capacity.levels import level, result

NAN = float("nan")
OURS = result((level(1), []), (level(8), []), (level(16, word_shown=Spread(0.7, 2.0)), ["word shown p95 2.00 > 0.9 s"]))
PEER = result(
    (level(1, system="peer", word_shown=Spread(0.6, 2.6), first_partial=Spread(NAN, NAN), memory=None), []),
    (level(2, system="peer", word_shown=Spread(4.0, 9.0)), ["word shown p50 4.00 > 3 s"]),
)


def test_a_peer_is_compared_at_equal_or_better_figures() -> None:
    compared = compare(OURS, PEER)
    assert compared is not None
    assert compared.peer.streams == 1
    assert compared.ours is not None
    assert compared.ours.streams == 8  # 16 have a worse median of words shown, though the goals mattered not
    assert compared.ratio == 8


def test_worse_accuracy_is_no_capacity() -> None:
    good = result((level(1, system="peer", word_error_rate=0.01), []))
    compared = compare(OURS, good)
    assert compared is not None
    assert (compared.ours, compared.ratio) == (None, 0.0)


def test_a_peer_that_never_kept_up_is_not_compared() -> None:
    assert compare(OURS, result((level(1, system="peer"), ["word shown p50 9.00 > 3 s"]))) is None


@pytest.mark.parametrize("width", [80, 220])
def test_figures_goals_and_ratios_are_told_whole_in_any_terminal(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    compared = compare(OURS, PEER)
    assert compared is not None
    report.show(console, [OURS, PEER], [compared], 2)
    text = console.export_text()
    assert "0.30 / 0.80" in text
    assert "word shown p95 2.00 > 0.9 s" in text
    assert "livecaptions: 8 streams, 4 per core (2 given)" in text
    assert "256 MB" in text
    assert "unknown" in text


def test_cores_of_a_remote_server_are_not_guessed() -> None:
    assert report.summary([OURS], None).plain == "livecaptions: 8 streams"


@pytest.mark.server  # the machine is described by uname
def test_the_file_is_plain_json(tmp_path: Path) -> None:
    compared = compare(OURS, PEER)
    assert compared is not None
    report.write(tmp_path / "figures.json", [OURS, PEER], [compared], {"seconds": 60})
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["settings"] == {"seconds": 60}
    ours, peer = content["systems"]
    assert ours["best"] == 8
    assert ours["levels"][2]["broken"] == ["word shown p95 2.00 > 0.9 s"]
    assert peer["levels"][0]["first_partial"] == {"p50": None, "p95": None}
    assert content["compared"] == [{"peer": "peer", "peer_streams": 1, "our_streams": 8, "ratio": 8.0}]


@pytest.mark.server  # Matplotlib asks fc-list for the fonts, the first time
def test_the_picture_is_a_picture(tmp_path: Path) -> None:
    picture([OURS, PEER], Goals(), tmp_path / "capacity.png")
    assert (tmp_path / "capacity.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("cores", [1, 4])
def test_a_system_that_held_nothing_says_so(cores: int) -> None:
    assert report.summary([result((level(1), ["slow"]))], cores).plain == "livecaptions: no level met the goals"
