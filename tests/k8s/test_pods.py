"""Pods: as little right as can be, probes that ask what is served, and never all gone at once."""

import pytest
from fastapi import APIRouter, FastAPI

from livecaptions.clock import SystemClock
from livecaptions.logs import memory_log
from livecaptions.settings.load import load
from livecaptions.wiring import build_gateway
from monitoring.endpoints import endpoints_alone, health, metrics_endpoint
from monitoring.metrics import Families, GatewayProbe
from streamer.web.app import create_app
from tests.k8s.manifests import Object, container_of, labels_of, manifests, pod_of, selects
from tools.k8s.lint import OVERLAYS

pytestmark = pytest.mark.k8s

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def nothing() -> tuple[bytes, str]:
    return b"", ""


def gateway_app() -> FastAPI:
    settings, clock, probe = load({}).settings, SystemClock(), GatewayProbe(Families(), "0")
    app = create_app(build_gateway(settings, memory_log(settings, clock), clock, probe))
    app.include_router(health(list))
    app.include_router(metrics_endpoint(nothing))
    return app


def routes(app: FastAPI | APIRouter) -> set[str]:
    """The paths it serves, those of the routers it includes too."""
    found: set[str] = set()
    for route in app.routes:
        if isinstance(included := getattr(route, "original_router", None), APIRouter):
            found |= routes(included)
        elif isinstance(path := getattr(route, "path", None), str):
            found.add(path)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_restricted(overlay: str) -> None:
    for workload in manifests(overlay).workloads():
        pod, container = pod_of(workload), container_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001  # that of the image: a name could not be told from root
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert all(
            {"emptyDir", "secret", "projected", "persistentVolumeClaim"} & volume.keys() for volume in pod["volumes"]
        )
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108 - the pod's own


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_know_nothing_of_the_cluster(overlay: str) -> None:
    for workload in manifests(overlay).workloads():
        pod = pod_of(workload)
        account = manifests(overlay).get("ServiceAccount", pod["serviceAccountName"])
        assert pod["automountServiceAccountToken"] is False
        assert account["automountServiceAccountToken"] is False
        # or LIVECAPTIONS_GATEWAY_PORT=tcp://... would be in the environment, and refused as an unknown setting
        assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_takes_restricted_pods_only(overlay: str) -> None:
    labels = manifests(overlay).get("Namespace", "livecaptions")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_say_what_they_need(overlay: str) -> None:
    for workload in manifests(overlay).workloads():
        resources = container_of(workload)["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]
        assert "cpu" not in resources["limits"]


def test_workers_of_production_have_a_gpu_each() -> None:
    worker = manifests("gpu").get("Deployment", "livecaptions-worker")
    assert container_of(worker)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container_of(worker)["image"].endswith("-cuda")
    assert manifests("gpu").environment(worker)["LIVECAPTIONS_DEVICE"] == "cuda"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod_of(worker)["tolerations"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_what_is_served(overlay: str) -> None:
    served = {"gateway": routes(gateway_app()), "worker": routes(endpoints_alone(nothing, list))}
    for workload in manifests(overlay).deployments():
        container, environment = container_of(workload), manifests(overlay).environment(workload)
        role = container["args"][0]
        listens = {
            "gateway": int(environment.get("LIVECAPTIONS_PORT", load({}).settings.port)),
            "worker": int(environment["LIVECAPTIONS_METRICS_PORT"]),
        }[role]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe in PROBES:
            asked = container[probe]["httpGet"]
            assert ports[asked["port"]] == listens
            assert asked["path"] in served[role]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "what others lack is no reason to be killed"
        assert environment["LIVECAPTIONS_HOST"] == "0.0.0.0"  # noqa: S104 - the pod's own address


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_workers_may_take_long_to_fetch_a_model(overlay: str) -> None:
    worker = manifests(overlay).get("Deployment", "livecaptions-worker")
    probe = container_of(worker)["startupProbe"]
    patience = probe["failureThreshold"] * probe["periodSeconds"]
    assert probe["httpGet"]["path"] == "/readyz"
    assert patience >= 600
    assert worker["spec"].get("progressDeadlineSeconds", 600) >= patience
    mounts = {mount["mountPath"]: mount["name"] for mount in container_of(worker)["volumeMounts"]}
    assert manifests(overlay).environment(worker)["HF_HOME"] in mounts


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_rolling_updates_and_evictions_leave_all_but_one(overlay: str) -> None:
    scaled = {s["spec"]["scaleTargetRef"]["name"]: s["spec"] for s in manifests(overlay).of("ScaledObject")}
    budgets = list(manifests(overlay).of("PodDisruptionBudget"))
    for workload in manifests(overlay).deployments():
        name = workload["metadata"]["name"]
        assert workload["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert ("replicas" in workload["spec"]) != (name in scaled), "set by the autoscaler or by us"
        fewest = scaled[name]["minReplicaCount"] if name in scaled else workload["spec"]["replicas"]
        (budget,) = (b for b in budgets if selects(b["spec"]["selector"]["matchLabels"], labels_of(workload)))
        assert fewest - budget["spec"]["maxUnavailable"] >= 1
    assert len(budgets) == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_of_one_kind_are_spread_over_nodes_and_zones(overlay: str) -> None:
    for workload in manifests(overlay).deployments():
        spread = pod_of(workload)["topologySpreadConstraints"]
        assert {s["topologyKey"] for s in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert all(selects(s["labelSelector"]["matchLabels"], labels_of(workload)) for s in spread)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_find_a_port_of_their_pods(overlay: str) -> None:
    for service in manifests(overlay).of("Service"):
        (backend,) = (w for w in manifests(overlay).workloads() if selects(service["spec"]["selector"], labels_of(w)))
        ports = {port["name"] for port in container_of(backend)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_ingress_leads_to_what_is_for_clients_and_to_nothing_else() -> None:
    (ingress,) = manifests("gpu").of("Ingress")
    (rule,) = ingress["spec"]["rules"]
    rules = [(path["path"], path["pathType"]) for path in rule["http"]["paths"]]

    def routed(path: str) -> bool:
        return any(path == p if kind == "Exact" else (path + "/").startswith(p.rstrip("/") + "/") for p, kind in rules)

    inside = {"/metrics", "/healthz", "/readyz", "/openapi.json", "/{path:path}"}
    assert {"/", "/r/{room}", "/static", "/v1/rooms/{room}/publish"} <= routes(gateway_app())
    assert {path for path in routes(gateway_app()) if not routed(path)} == inside
    assert {tls["hosts"][0] for tls in ingress["spec"]["tls"]} == {rule["host"]}
    assert all(backend_exists(path["backend"]["service"]) for path in rule["http"]["paths"])


def backend_exists(backend: Object) -> bool:
    service = manifests("gpu").get("Service", backend["name"])
    return backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_ingress_holds_sockets_that_are_silent_for_longer_than_the_pings() -> None:
    (ingress,) = manifests("gpu").of("Ingress")
    annotations = ingress["metadata"]["annotations"]
    for name in ("proxy-read-timeout", "proxy-send-timeout"):
        assert int(annotations[f"nginx.ingress.kubernetes.io/{name}"]) >= 3600
