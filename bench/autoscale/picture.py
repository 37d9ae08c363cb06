"""Draws docs/images/autoscale.png from bench/out/autoscale.csv."""

import csv
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Draw it."""
    with (ROOT / "bench/out/autoscale.csv").open() as file:
        rows = [{name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(file)]
    seconds = [row["seconds"] for row in rows]
    figure, (load, workers) = plt.subplots(2, sharex=True, figsize=(8, 4.6), layout="constrained")
    load.plot(seconds, [row["behind"] for row in rows], color="tab:red", label="audio behind, s (worst)")
    load.plot(seconds, [row["streams"] for row in rows], color="tab:gray", label="tracks spoken into")
    workers.step(
        seconds, [row["wanted"] for row in rows], where="post", color="tab:blue", label="workers wanted by KEDA"
    )
    workers.plot(seconds, [row["ready"] for row in rows], color="tab:green", linestyle="--", label="workers ready")
    workers.set_xlabel("seconds")
    for axes in (load, workers):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", frameon=False)
    figure.savefig(ROOT / "docs/images/autoscale.png", dpi=80)


if __name__ == "__main__":
    main()
