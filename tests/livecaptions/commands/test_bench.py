"""``livecaptions bench capacity`` where a part of it is missing; tests/e2e/test_capacity.py has it whole."""

import sys

import pytest

from captions.errors import SetupError
from livecaptions.commands.bench import NEEDED, capacity


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_part_is_named_with_where_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SetupError) as told:
        capacity()
    assert str(told.value) == (
        "this benchmark needs a clone of the repository: in the clone, run pip install -e '.[bench]' "
        f"(missing here: {name})"
    )


def test_an_installed_package_has_no_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bench"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bench", None)
    with pytest.raises(SetupError, match=r"missing here: bench\.capacity"):
        capacity()
