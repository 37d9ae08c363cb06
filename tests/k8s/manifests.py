"""The rendered manifests of an overlay, asked by kind and name."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.k8s.lint import ROOT, render

Object = dict[str, Any]
Labels = Mapping[str, str]

OURS = {"app.kubernetes.io/name": "livecaptions"}
COMPONENTS = sorted(folder.name for folder in (ROOT / "k8s/components").iterdir())


@dataclass(frozen=True, slots=True)
class Manifests:
    """Everything that ``kubectl apply -k`` would send."""

    objects: tuple[Object, ...]

    def of(self, *kinds: str) -> Iterator[Object]:
        return (o for o in self.objects if o["kind"] in kinds)

    def get(self, kind: str, name: str) -> Object:
        return next(o for o in self.of(kind) if o["metadata"]["name"] == name)

    def workloads(self) -> Iterator[Object]:
        """Whatever has pods."""
        return self.of("Deployment", "StatefulSet", "Job")

    def processes(self) -> list[Object]:
        """The workloads that run livecaptions."""
        return [workload for workload in self.workloads() if selects(OURS, labels_of(workload))]

    def deployments(self) -> Iterator[Object]:
        """Gateways and workers."""
        return (o for o in self.of("Deployment") if selects(OURS, o["metadata"]["labels"]))

    def environment(self, workload: Object) -> dict[str, str]:
        """What the container sees; what comes from a Secret that has to exist, or the machine, is a stand-in."""
        container = container_of(workload)
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            found |= self.get("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in container.get("env", ()):
            origin = variable.get("valueFrom", {})
            if origin.get("secretKeyRef", {}).get("optional"):
                continue
            found[variable["name"]] = "secret" if "secretKeyRef" in origin else "1" if origin else variable["value"]
        return found


@cache
def manifests(overlay: str) -> Manifests:
    return parse(render(ROOT / "k8s/overlays" / overlay))


@cache
def manifests_with(component: str) -> Manifests:
    """The base with one component."""
    return parse(render_with(component))


def render_with(component: str) -> str:
    """Render the base with one component."""
    with tempfile.TemporaryDirectory() as folder:
        k8s = os.path.relpath(ROOT.resolve() / "k8s", Path(folder).resolve())  # kustomize takes no absolute paths
        (Path(folder) / "kustomization.yaml").write_text(
            f"resources: [{k8s}/base]\ncomponents: [{k8s}/components/{component}]\n"
        )
        return render(Path(folder))


def parse(text: str) -> Manifests:
    return Manifests(tuple(yaml.safe_load_all(text)))


def pod_of(workload: Object) -> Object:
    return workload["spec"]["template"]["spec"]  # type: ignore[no-any-return] # of YAML


def labels_of(workload: Object) -> Labels:
    return workload["spec"]["template"]["metadata"]["labels"]  # type: ignore[no-any-return] # of YAML


def container_of(workload: Object) -> Object:
    (container,) = pod_of(workload)["containers"]
    return container  # type: ignore[no-any-return] # of YAML


def selects(wanted: Labels, labels: Labels) -> bool:
    return wanted.items() <= labels.items()
