"""Renders the manifests of k8s/ and checks them with kubeconform and checkov: ``python -m tools.k8s.lint``."""

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

SKIPPED = {
    "CKV_K8S_11": "CPU limits throttle processes that have to answer within half a second; requests share the cores",
    "CKV_K8S_15": "tags are versions and never move, so pulling an existing image again gains nothing",
    "CKV_K8S_35": "the settings read kafka_password and jwt_secret from the environment; keys are in a file",
    "CKV_K8S_43": "the publisher of the image sets digests: kustomize edit set image livecaptions=...@sha256:...",
}
"""Disabled rules of checkov, with the reason for each."""


def render(folder: Path) -> str:
    """Render the manifests of a kustomization."""
    return subprocess.run(
        [str(program(KUSTOMIZE)), "build", str(folder)], check=True, capture_output=True, text=True
    ).stdout


def conformity(manifests: str) -> str:
    """Check manifests with kubeconform against the schemas of Kubernetes and the operators. Empty means no errors."""
    command = [str(program(KUBECONFORM)), "-strict", "-schema-location", f"{schemas()}/{LOCATION}", "-"]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=manifests).stdout


def checkov(folder: Path) -> dict[str, str]:
    """The failed rules of checkov for the manifests in ``folder``, with their messages."""
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
    """Print all errors and exit with 1 if there are any."""
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for overlay in OVERLAYS:
            manifests = render(ROOT / "k8s/overlays" / overlay)
            (Path(folder) / f"{overlay}.yaml").write_text(manifests)
            errors.append(conformity(manifests))
        errors += [text for rule, text in checkov(Path(folder)).items() if rule not in SKIPPED]
    sys.exit("\n".join(filter(None, errors)) or None)


if __name__ == "__main__":
    main()
