from pathlib import Path

import pytest

from inference.engine.parallelism import Parallelism, available_cores

TINY, SMALL, LARGE = 75_000_000, 247_000_000, 1_600_000_000


@pytest.mark.parametrize(
    ("decoders", "threads", "device", "weights", "cores", "chosen"),
    [
        (0, 0, "cpu", TINY, 8, (8, 1)),
        (0, 4, "cpu", TINY, 8, (2, 4)),
        (0, 4, "cpu", TINY, 2, (1, 4)),
        (2, 0, "cpu", TINY, 8, (2, 4)),
        (3, 0, "cpu", TINY, 2, (3, 1)),
        (5, 7, "cpu", TINY, 2, (5, 7)),
        (0, 0, "cpu", 0, 2, (2, 1)),
        (0, 0, "cpu", SMALL, 8, (4, 2)),
        (0, 0, "cpu", SMALL, 3, (1, 3)),
        (0, 0, "cpu", SMALL, 1, (1, 1)),
        (0, 1, "cpu", SMALL, 8, (8, 1)),
        (0, 0, "cpu", LARGE, 8, (2, 4)),
        (0, 0, "cuda", LARGE, 16, (2, 1)),
        (1, 0, "cuda", TINY, 16, (1, 1)),
    ],
)
def test_what_is_not_asked_for_fills_the_cores(
    *, decoders: int, threads: int, device: str, weights: int, cores: int, chosen: tuple[int, int]
) -> None:
    assert Parallelism(*chosen) == Parallelism.choose(
        decoders=decoders, threads=threads, device=device, weights=weights, cores=cores
    )


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_a_container_has_no_more_cores_than_its_share(tmp_path: Path, quota: str, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    all_cores = available_cores(file)
    file.write_text(quota + "\n")
    assert available_cores(file) == (cores or all_cores)
