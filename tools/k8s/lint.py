"""The manifests of k8s/, rendered and held to schemas and to checkov's rules: ``python -m tools.k8s.lint``."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.k8s.schemas import LOCATION, schemas
from tools.k8s.toolbox import KUBECONFORM, KUSTOMIZE, program

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("dev", "gpu")
CHECKOV = "checkov@3.3.30"

NOT_ASKED = {
    "CKV_K8S_11": "CPU limits throttle what has to answer within half a second; requests share the cores",
    "CKV_K8S_15": "tags are versions, never moved: to pull again what is there gains nothing",
    "CKV_K8S_35": "the settings read the broker's password from the environment; tokens are a file",
    "CKV_K8S_43": "digests are whoever's who publishes the image: kustomize edit set image livecaptions=...@sha256:...",
}
"""Rules of checkov's that are switched off, and why."""


def render(folder: Path) -> str:
    """The manifests of a kustomization."""
    return subprocess.run(
        [str(program(KUSTOMIZE)), "build", str(folder)], check=True, capture_output=True, text=True
    ).stdout


def conformity(manifests: str) -> str:
    """What kubeconform says against the manifests; empty where they fit Kubernetes' and the operators' schemas."""
    command = [str(program(KUBECONFORM)), "-strict", "-schema-location", f"{schemas()}/{LOCATION}", "-"]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=manifests).stdout


def checkov(folder: Path) -> dict[str, str]:
    """Rules of checkov's that manifests in ``folder`` break, and what they say."""
    uv = shutil.which("uv") or str(ROOT / ".tools/uv/bin/uv")
    command = [
        uv,
        "tool",
        "run",
        "--quiet",
        CHECKOV,
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run([*command, "--directory", str(folder)], check=False, capture_output=True, text=True)
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    return {c["check_id"]: f"{c['check_id']}: {c['check_name']}: {c['resource']} in {c['file_path']}" for c in failed}


def main() -> None:
    """Say what is wrong, and exit with 1 where anything is."""
    complaints = []
    with tempfile.TemporaryDirectory() as folder:
        for overlay in OVERLAYS:
            manifests = render(ROOT / "k8s/overlays" / overlay)
            (Path(folder) / f"{overlay}.yaml").write_text(manifests)
            complaints.append(conformity(manifests))
        complaints += [text for rule, text in checkov(Path(folder)).items() if rule not in NOT_ASKED]
    sys.exit("\n".join(filter(None, complaints)) or None)


if __name__ == "__main__":
    main()
