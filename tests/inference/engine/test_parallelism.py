from pathlib import Path

import pytest

from inference.engine.parallelism import Parallelism, available_cores


@pytest.mark.parametrize(
    ("decoders", "threads", "device", "cores", "chosen"),
    [
        (0, 0, "cpu", 8, (8, 1)),
        (0, 4, "cpu", 8, (2, 4)),
        (0, 4, "cpu", 2, (1, 4)),
        (2, 0, "cpu", 8, (2, 4)),
        (3, 0, "cpu", 2, (3, 1)),
        (5, 7, "cpu", 2, (5, 7)),
        (0, 0, "cuda", 16, (2, 1)),
        (1, 0, "cuda", 16, (1, 1)),
    ],
)
def test_what_is_not_asked_for_fills_the_cores(
    decoders: int, threads: int, device: str, cores: int, chosen: tuple[int, int]
) -> None:
    assert Parallelism.choose(decoders=decoders, threads=threads, device=device, cores=cores) == Parallelism(*chosen)


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_a_container_has_no_more_cores_than_its_share(tmp_path: Path, quota: str, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    all_cores = available_cores(file)
    file.write_text(quota + "\n")
    assert available_cores(file) == (cores or all_cores)
