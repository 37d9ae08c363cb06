"""Strict JSON schemas for kubeconform: an unknown property is an error.

Kubernetes' own from its OpenAPI document, the operators' from their CustomResourceDefinitions, Strimzi's from its
classes.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.k8s.toolbox import CACHE, sources

KUBERNETES = "v1.36.3"
KEDA = "v2.20.2"
PROMETHEUS_OPERATOR = "v0.85.0"
STRIMZI = "0.51.0"
"""The newest version whose classes load on Java 17. Its API version is v1, the same as in 1.x."""

CRDS = {
    f"github.com/kedacore/keda/v2@{KEDA}": "config/crd/bases",
    f"github.com/prometheus-operator/prometheus-operator@{PROMETHEUS_OPERATOR}": "example/prometheus-operator-crd",
}
STRIMZI_CLASSES = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")

LOCATION = "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"
"""The template for kubeconform's lookup of schemas in the folder."""

Schema = dict[str, Any]

OPEN: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
}
"""Types for which the API server accepts more than the OpenAPI document says."""


class _Loader(yaml.CSafeLoader):
    """Reads a single ``=`` as text. PyYAML takes it for YAML 1.1's value type, which it cannot construct."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def schemas() -> Path:
    """The folder of all schemas. It is created on first use."""
    folder = CACHE / "k8s-schemas" / f"{KUBERNETES}_{KEDA}_{PROMETHEUS_OPERATOR}_{STRIMZI}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        for name, schema in (*_kubernetes(), *_operators()):
            file = made / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(schema))
        _strimzi(made)
        made.rename(folder)
    return folder


def _name(group: str, kind: str, version: str) -> str:
    return f"{group or version}/{kind.lower()}_{version}.json"


def _kubernetes() -> Iterator[tuple[str, Schema]]:
    document = json.loads((sources(f"k8s.io/kubernetes@{KUBERNETES}") / "api/openapi-spec/swagger.json").read_text())
    definitions: dict[str, Schema] = {name: OPEN.get(name) or strict(d) for name, d in document["definitions"].items()}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            used = {other: definitions[other] for other in _reachable(name, definitions)}
            yield (
                _name(kind["group"], kind["kind"], kind["version"]),
                {"$ref": f"#/definitions/{name}", "definitions": used},
            )


def _reachable(name: str, definitions: dict[str, Schema]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        for other in set(_references(definitions[waiting.pop()])) - found:
            found.add(other)
            waiting.append(other)
    return found


def _references(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.removeprefix("#/definitions/")
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _operators() -> Iterator[tuple[str, Schema]]:
    for module, folder in CRDS.items():
        for file in sorted((sources(module) / folder).glob("*.yaml")):
            spec = yaml.load(file.read_text(), _Loader)["spec"]  # noqa: S506 - a safe loader with one type more
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                yield _name(spec["group"], spec["names"]["kind"], version["name"]), schema


def _strimzi(folder: Path) -> None:
    """Generate schemas from the published Java classes, because the CRDs are in no registry."""
    libraries = CACHE / f"strimzi-{STRIMZI}"
    if not libraries.is_dir():
        with tempfile.TemporaryDirectory() as work:
            (Path(work) / "pom.xml").write_text(f"""
                <project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
                <groupId>local</groupId><artifactId>strimzi-schemas</artifactId><version>1</version><dependencies>
                <dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>{STRIMZI}</version></dependency>
                </dependencies></project>""")
            fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work}/libs"]
            subprocess.run(fetch, cwd=work, check=True, stdout=sys.stderr)
            (Path(work) / "libs").rename(libraries)
    files = [
        f"io.strimzi.api.kafka.model.{name}={_name('kafka.strimzi.io', name.partition('.')[2], 'v1')}"
        for name in STRIMZI_CLASSES
    ]
    program = Path(__file__).with_name("StrimziSchemas.java")
    command = ["java", "-cp", f"{libraries}/*", str(program), str(folder), *files]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def strict(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """The schema with additional properties forbidden."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {key: strict(part) for key, part in schema.items()}
    if (
        "properties" in schema
        and "additionalProperties" not in schema
        and not schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        tight["additionalProperties"] = False
    return tight
