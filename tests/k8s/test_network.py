"""Who may talk to whom: the policies, evaluated for every pair of pods, let through exactly what is listed here."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.k8s.manifests import COMPONENTS, Labels, Manifests, Object, labels_of, manifests, manifests_with, selects

pytestmark = pytest.mark.k8s

PORTS = (53, 80, 443, 8080, 9090, 9092, 9093, 9100)
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


@dataclass(frozen=True)
class Peer:
    """A pod, by its labels and its namespace; without either, an address on the internet."""

    labels: Labels
    namespace: str | None = "livecaptions"


ELSEWHERE = {
    "kube-dns": Peer({}, "kube-system"),
    "ingress-nginx": Peer({}, "ingress-nginx"),
    "prometheus": Peer({}, "monitoring"),
    "stranger": Peer({}, "default"),
    "internet": Peer({}, None),
}
STRIMZI = {
    "kafka": Peer({"strimzi.io/cluster": "livecaptions", "strimzi.io/name": "livecaptions-kafka"}),
}


def allowed(rendered: Manifests, peers: dict[str, Peer]) -> set[tuple[str, str, int]]:
    """All (from, to, TCP port) that the policies let through, between ours and anybody."""
    return {
        (source, target, port)
        for source, one in peers.items()
        for target, other in peers.items()
        for port in PORTS
        if source != target
        and "livecaptions" in {one.namespace, other.namespace}
        and permits(rendered, "Egress", one, other, port)
        and permits(rendered, "Ingress", other, one, port)
    }


def permits(rendered: Manifests, direction: str, pod: Peer, peer: Peer, port: int) -> bool:
    """Whether the policies of the pod's namespace (ours has some, others have none) let the peer through."""
    if pod.namespace != "livecaptions":
        return True
    policies = [
        policy
        for policy in policies_of(rendered)
        if direction in policy["policyTypes"] and selects(policy["podSelector"].get("matchLabels", {}), pod.labels)
    ]
    return not policies or any(
        rule_permits(rule, direction, peer, port) for policy in policies for rule in policy.get(direction.lower(), ())
    )


def policies_of(rendered: Manifests) -> Iterator[Object]:
    """Ours, and those that Strimzi makes of a listener's peers."""
    for policy in rendered.of("NetworkPolicy"):
        yield policy["spec"]
    for kafka in rendered.of("Kafka"):
        yield {
            "podSelector": {"matchLabels": STRIMZI["kafka"].labels},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": one["networkPolicyPeers"], "ports": [{"protocol": "TCP", "port": one["port"]}]}
                for one in kafka["spec"]["kafka"]["listeners"]
            ],
        }


def rule_permits(rule: Object, direction: str, peer: Peer, port: int) -> bool:
    ends = rule.get("from" if direction == "Ingress" else "to")
    ports = [p["port"] for p in rule.get("ports", ()) if p["protocol"] == "TCP"]
    return bool((not ports or port in ports) and (ends is None or any(matches(end, peer) for end in ends)))


def matches(end: Object, peer: Peer) -> bool:
    if "ipBlock" in end:
        return bool(peer.namespace is None and end["ipBlock"]["cidr"] == "0.0.0.0/0")
    if "namespaceSelector" in end:
        return bool(end["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": peer.namespace})
    return peer.namespace == "livecaptions" and selects(end["podSelector"]["matchLabels"], peer.labels)


def pods(rendered: Manifests) -> dict[str, Peer]:
    return {
        labels.get(COMPONENT, labels[NAME]): Peer(labels)
        for workload in rendered.workloads()
        for labels in [labels_of(workload)]
    }


def test_one_node() -> None:
    peers = pods(manifests("dev")) | ELSEWHERE
    ours = {"gateway", "worker", "topics"}
    assert allowed(manifests("dev"), peers) == {
        *((pod, "kafka", 9092) for pod in ours),
        *((pod, "kube-dns", 53) for pod in (*ours, "kafka")),
        *((client, "gateway", 8080) for client in ELSEWHERE),
        *(("prometheus", pod, 9100) for pod in ("gateway", "worker")),
    }


def test_production() -> None:
    peers = pods(manifests("gpu")) | ELSEWHERE | STRIMZI
    assert allowed(manifests("gpu"), peers) == {
        ("gateway", "kafka", 9093),
        ("worker", "kafka", 9093),
        *((pod, "kube-dns", 53) for pod in ("gateway", "worker", "kafka")),
        ("ingress-nginx", "gateway", 8080),
        ("prometheus", "gateway", 9100),
        ("prometheus", "worker", 9100),
        ("worker", "internet", 443),
        # the API server is at an address that only the cluster knows
        *(("kafka", anybody, 443) for anybody in ELSEWHERE),
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_gateways_reach_the_issuer_of_tokens_with_its_component_alone(component: str) -> None:
    rendered = manifests_with(component)
    reached = {
        (target, port)
        for source, target, port in allowed(rendered, pods(rendered) | ELSEWHERE)
        if source == "gateway" and port not in {53, 9092, 9093}
    }
    assert reached == ({("internet", 443)} if component == "jwt-issuer" else set())
