"""Programs and sources from Go modules, cached. Debian does not package these tools, or only old versions."""

import json
import os
import shutil
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livecaptions"

KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"


def missing() -> str | None:
    """What is missing on this machine to render and check manifests; None if nothing is."""
    if not shutil.which("go"):
        return "no Go 1.24 or newer for kustomize and kubeconform: apt-get install golang-go (Debian 13)"
    if not (shutil.which("java") and shutil.which("mvn")):
        return "no Java or Maven for Strimzi's schemas: apt-get install default-jdk-headless maven"
    return None


def program(package: str) -> Path:
    """The program of a Go package, ``PATH@VERSION``. It is built on first use."""
    folder = CACHE / "bin" / package.replace("/", "_")
    if not folder.is_dir() or not any(folder.iterdir()):
        subprocess.run(["go", "install", package], check=True, env={**os.environ, "GOBIN": str(folder)}, cwd="/")
    return next(folder.iterdir())


def sources(module: str) -> Path:
    """The folder of a Go module, ``PATH@VERSION``. It is downloaded on first use."""
    download = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, cwd="/")
    return Path(json.loads(download.stdout)["Dir"])
