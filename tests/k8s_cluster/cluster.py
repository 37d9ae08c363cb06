"""The cluster of tools/k8s/cluster.sh, and the images that its pods are made of."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.image import container

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "k8s" / "cluster.sh"
NAMESPACE = "livecaptions"
SCRIPTED = "localhost/livecaptions-scripted"
PATIENCE = 300
"""Seconds that the cluster may take for anything that is asked of it."""


def missing() -> str | None:
    """What this machine lacks for a cluster of its own."""
    programs = ("containerd", "ctr", "runc", "iptables", "conntrack", "podman", "debootstrap", "java", "mvn")
    if not all(shutil.which(program) for program in programs) or not Path("/usr/lib/cni/bridge").exists():
        return (
            "no container runtime for a cluster: apt-get install containerd runc containernetworking-plugins "
            "iptables conntrack podman debootstrap default-jdk-headless maven"
        )
    if not shutil.which("go") and subprocess.run([SCRIPT, "built"], check=False).returncode:
        return "no Go 1.26 to build Kubernetes with: install it from go.dev, or your distribution's where it is as new"
    return None if os.geteuid() == 0 else "containers and their networks are made by root: sudo make test-k8s"


def kubectl(*arguments: str, timeout: float = PATIENCE) -> str:
    """What kubectl prints, as cluster-admin, in the namespace of the manifests."""
    command: list[str | Path] = [SCRIPT, "kubectl", "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, check=False, text=True, capture_output=True, timeout=timeout)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def up() -> None:
    """A cluster without pods; what an earlier one left is removed."""
    subprocess.run([SCRIPT, "down"], check=True, timeout=PATIENCE)
    subprocess.run([SCRIPT, "build"], check=True, timeout=3600)
    subprocess.run([SCRIPT, "up"], check=True, timeout=PATIENCE)


def down() -> None:
    """Stop everything."""
    subprocess.run([SCRIPT, "down"], check=True, timeout=PATIENCE)


def load(**images: str) -> None:
    """Put local images on the node: as the manifests name them, each with tag ``dev``."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, image in images.items():
            names.append(f"docker.io/library/{name.replace('_', '-')}:dev")
            subprocess.run(["podman", "tag", image, names[-1]], check=True)
        archive = f"{folder}/images.tar"
        save = ["podman", "save", "--quiet", "--multi-image-archive", "--output", archive, *names]
        subprocess.run(save, check=True, timeout=PATIENCE)
        subprocess.run([SCRIPT, "load", archive], check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)


def load_product() -> None:
    """Build the product's and the broker's image and put them on the node."""
    container.build()
    subprocess.run([container.SCRIPT, "kafka"], check=True, timeout=1800)
    load(livecaptions=container.IMAGE, livecaptions_kafka="localhost/livecaptions-kafka")


def load_scripted() -> None:
    """The same product, hearing scripted speech."""
    build = ["podman", "build", "--quiet", "--isolation", "chroot", "--format", "docker", "--tag", SCRIPTED]
    subprocess.run([*build, "--file", ROOT / "tests/k8s_cluster/Dockerfile", ROOT / "tests"], check=True, timeout=600)
    load(livecaptions_scripted=SCRIPTED)


def apply(overlay: Path) -> str:
    """Apply a kustomization and wait until its pods are ready; the gateways' Service: HOST:PORT."""
    kubectl("delete", "job", "--all", "--ignore-not-found")
    kubectl("apply", "--kustomize", str(overlay))
    kubectl("rollout", "status", "statefulset/kafka", f"--timeout={PATIENCE}s")
    kubectl("wait", "--for=condition=Complete", "job/livecaptions-topics", f"--timeout={PATIENCE}s")
    for part in ("gateway", "worker"):
        rolled_out(part)
    return kubectl(
        "get", "service", "livecaptions-gateway", "--output", "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}"
    )


def rolled_out(part: str) -> None:
    """Return when every pod of a Deployment is the newest and ready, and the old ones are gone."""
    kubectl("rollout", "status", f"deployment/livecaptions-{part}", f"--timeout={PATIENCE}s", timeout=PATIENCE + 10)
    deadline = time.monotonic() + PATIENCE
    while (
        len(pods(part))
        != json.loads(kubectl("get", "deployment", f"livecaptions-{part}", "--output=json"))["spec"]["replicas"]
    ):
        assert time.monotonic() < deadline, f"old pods of {part} do not go"
        time.sleep(0.5)


def pods(part: str) -> list[dict[str, Any]]:
    """The pods of gateway or worker."""
    found = json.loads(kubectl("get", "pods", f"--selector=app.kubernetes.io/component={part}", "--output=json"))
    return list(found["items"])


def diagnosis() -> str:
    """What explains a failure: pods, what happened to them, and their last words."""
    told = [kubectl("get", "pods", "--output=wide"), kubectl("get", "events", "--sort-by=.lastTimestamp")]
    told += [
        kubectl("logs", "--tail=40", "--prefix", f"--selector=app.kubernetes.io/component={part}")
        for part in ("topics", "gateway", "worker")
    ]
    return "\n".join(told)
