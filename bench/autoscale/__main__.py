"""Autoscaling with KEDA on a real cluster: replicas and seconds of audio behind, under load and after it.

``python -m bench.autoscale`` starts a cluster (tools/k8s/cluster.sh) with KEDA and Debian's Prometheus, publishes
twelve tracks for two minutes, waits until the number of workers has fallen again, and writes bench/out/autoscale.csv.
``uv run --with matplotlib python -m bench.autoscale.picture`` draws the picture in docs/cluster-tests.md.
"""

import asyncio
import contextlib
import csv
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.failover.rig import assert_kept, speaking, watching
from tests.k8s_cluster import cluster
from tests.support import script_of

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "bench/out/autoscale.csv"
PROMETHEUS = "http://127.0.0.1:19090"
TRACKS = 12
UTTERANCES = 34
QUIET = 30.0
AFTERWARDS = 230.0
"""Seconds without load, before and afterwards."""
_, PCM = script_of(UTTERANCES)


@contextlib.contextmanager
def prometheus() -> Iterator[Path]:
    """Run Prometheus on the node, with temporary data. Yields the file that lists the targets.

    Debian's Prometheus has no Kubernetes service discovery, so ``workers`` finds the pods.
    """
    with tempfile.TemporaryDirectory() as data:
        config, targets = Path(data) / "prometheus.yml", Path(data) / "targets.json"
        targets.write_text("[]")
        job = {
            "job_name": "livecaptions-worker",
            "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "2s"}],
        }
        config.write_text(json.dumps({"global": {"scrape_interval": "2s"}, "scrape_configs": [job]}))
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}/tsdb"]
        process = subprocess.Popen([*command, "--web.listen-address=127.0.0.1:19090", "--log.level=warn"])
        try:
            yield targets
        finally:
            process.terminate()
            process.wait(30)


def workers() -> list[dict[str, object]]:
    """The scrape targets of the workers, as prometheus-operator creates them from k8s/components/monitoring."""
    return [
        {
            "targets": [f"{pod['status']['podIP']}:9100"],
            "labels": {"namespace": cluster.NAMESPACE, "pod": pod["metadata"]["name"]},
        }
        for pod in cluster.pods("worker")
        if pod["status"]["phase"] == "Running" and "podIP" in pod["status"]
    ]


async def asked(client: httpx.AsyncClient, query: str) -> float | None:
    """The value of a query; None if it returns no value."""
    result = (await client.get("/api/v1/query", params={"query": query})).json()["data"]["result"]
    return float(result[0]["value"][1]) if result else None


async def sample(rows: list[dict[str, object]], targets: Path, began: float) -> None:
    """Add a row every two seconds."""
    async with httpx.AsyncClient(base_url=PROMETHEUS) as client:
        while True:
            new = targets.with_suffix(".new")
            new.write_text(json.dumps(await asyncio.to_thread(workers)))
            new.replace(targets)
            output = await asyncio.to_thread(
                cluster.kubectl, "get", "deployment", "livecaptions-worker", "--output=json"
            )
            deployment = json.loads(output)
            row: dict[str, object] = {
                "seconds": round(time.monotonic() - began, 1),
                "wanted": deployment["spec"]["replicas"],
                "ready": deployment["status"].get("readyReplicas", 0),
                "behind": await asked(client, "max(livecaptions_audio_behind_worst_seconds)"),
                "streams": await asked(client, "sum(livecaptions_streams)"),
            }
            rows.append(row)
            print(row, flush=True)
            await asyncio.sleep(2)


async def load(service: str, targets: Path) -> list[dict[str, object]]:
    """Wait, publish twelve tracks, and wait again."""
    rows: list[dict[str, object]] = []
    sampling = asyncio.create_task(sample(rows, targets, time.monotonic()))
    await asyncio.sleep(QUIET)
    async with watching(service, "autoscale") as seen, speaking([service], PCM, TRACKS, "autoscale") as tasks:
        await asyncio.gather(*tasks)
    await asyncio.wait({sampling}, timeout=AFTERWARDS)
    sampling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sampling
    assert_kept(seen, TRACKS, UTTERANCES)
    return rows


def main() -> None:
    """Run the whole benchmark."""
    try:
        cluster.up()
        cluster.load_product()
        cluster.load_scripted()
        subprocess.run([cluster.SCRIPT, "keda"], check=True, timeout=3600)
        with prometheus() as targets:
            rows = asyncio.run(load("http://" + cluster.apply(HERE), targets))
    finally:
        cluster.down()
    OUT.parent.mkdir(exist_ok=True)
    with OUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
