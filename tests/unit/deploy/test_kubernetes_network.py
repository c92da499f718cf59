# SPDX-License-Identifier: Apache-2.0
"""Who may talk to whom: what Envoy, Prometheus and the servers need, and nothing else."""

import ipaddress
from dataclasses import dataclass
from typing import Any

import pytest
from support.balancing import envoy_config
from unit.deploy.rendered import Objects, render, selects

OWN = "trireel"
OWN_PODS = {"envoy", "server"}


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod, or an address outside."""

    name: str
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    address: str = ""


def peers_of(objects: Objects) -> dict[str, Peer]:
    own = {
        name: Peer(name, OWN, tuple(objects.labels_of(f"trireel-{name}").items()))
        for name in ("envoy", "server")
    }
    others = [
        Peer("prometheus", "monitoring", (("app.kubernetes.io/name", "prometheus"),)),
        Peer("false prometheus", "default", (("app.kubernetes.io/name", "prometheus"),)),
        Peer("grafana", "monitoring", (("app.kubernetes.io/name", "grafana"),)),
        Peer("dns", "kube-system", (("k8s-app", "kube-dns"),)),
        Peer("stranger", "default", (("app", "stranger"),)),
        Peer("neighbour", OWN, (("app", "neighbour"),)),
        Peer("seaweedfs", "storage", (("app.kubernetes.io/name", "seaweedfs"),)),
        *(
            Peer(address, address=address)
            for address in (
                *("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1"),
                *("10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
                *("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
                *("fd00:ec2::254", "fe80::1", "::1", "ff02::1", "64:ff9b::a00:1", "2002:a00:1::1"),
            )
        ),
    ]
    return {peer.name: peer for peer in (*own.values(), *others)}


def fits(rule: dict[str, Any], peer: Peer) -> bool:
    """Tell whether one `from` or `to` of a rule means a peer."""
    if "ipBlock" in rule:
        if not peer.address:
            return False
        address = ipaddress.ip_address(peer.address)
        block = rule["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(but) for but in block.get("except", ())
        )
    if peer.address:
        return False
    if "namespaceSelector" in rule:
        named = {"kubernetes.io/metadata.name": peer.namespace}
        if not selects(rule["namespaceSelector"], named):
            return False
    elif peer.namespace != OWN:
        return False
    return selects(rule.get("podSelector"), dict(peer.labels))


class Network:
    """What NetworkPolicies together let through."""

    def __init__(self, objects: Objects) -> None:
        self._policies = [policy["spec"] for policy in objects.of("NetworkPolicy").values()]
        self._objects = objects

    def lets(self, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
        """Tell whether a connection is let out at its source and in at its target."""
        way = (port, protocol)
        return self._one_side("Egress", source, target, target, way) and self._one_side(
            "Ingress", target, source, target, way
        )

    def _one_side(
        self, direction: str, own: Peer, other: Peer, target: Peer, way: tuple[int, str]
    ) -> bool:
        if own.namespace != OWN:  # no policy of ours is about it
            return True
        mine = [
            policy
            for policy in self._policies
            if direction in policy["policyTypes"]
            and selects(policy["podSelector"], dict(own.labels))
        ]
        if not mine:
            return True
        key, ends = direction.lower(), {"Egress": "to", "Ingress": "from"}[direction]
        return any(
            (ends not in rule or any(fits(end, other) for end in rule[ends]))
            and ("ports" not in rule or any(self._is(p, target, way) for p in rule["ports"]))
            for policy in mine
            for rule in policy.get(key, ())
        )

    def _is(self, rule: dict[str, Any], target: Peer, way: tuple[int, str]) -> bool:
        port = rule["port"]
        if isinstance(port, str):
            named = [
                each["containerPort"]
                for container in self._objects.pod(f"trireel-{target.name}")["spec"]["containers"]
                for each in container["ports"]
                if each["name"] == port
            ]
            assert len(named) == 1, f"{target.name} has no port {port}"
            (port,) = named
        return (port, rule.get("protocol", "TCP")) == way


PORTS = (22, 53, 80, 443, 2379, 6443, 8000, 8001, 8002, 8081, 8082, 8333, 9901, 10250)
PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1")


def wanted(peers: dict[str, Peer], components: tuple[str, ...]) -> set[tuple[str, str, int, str]]:
    """Return every connection that ends or begins at a pod of ours and has a reason."""
    clients = [name for name in peers if name not in ("envoy", "server")]
    return {
        *((client, "envoy", 8081, "TCP") for client in clients),
        *(("envoy", "server", port, "TCP") for port in (8000, 8001)),
        ("prometheus", "server", 8002, "TCP"),
        ("prometheus", "envoy", 8082, "TCP"),
        *((own, "dns", 53, way) for own in ("envoy", "server") for way in ("TCP", "UDP")),
        *(("server", address, 443, "TCP") for address in PUBLIC),
        *([("server", "seaweedfs", 8333, "TCP")] if "s3" in components else []),
    }


@pytest.mark.parametrize("overlay", ["cpu", "gpu"])
@pytest.mark.parametrize("components", [(), ("s3", "podmonitor", "tls")], ids=str)
def test_what_is_needed_is_let_through_and_nothing_else(tmp_path, overlay, components):
    objects = render(overlay, components, tmp_path)
    peers, network = peers_of(objects), Network(objects)
    let_through = {
        (source.name, target.name, port, protocol)
        for source in peers.values()
        for target in peers.values()
        for port in PORTS
        for protocol in ("TCP", "UDP")
        if OWN_PODS & {source.name, target.name}
        and source != target
        and network.lets(source, target, port, protocol)
    }
    assert let_through == wanted(peers, components)


def test_every_pod_of_ours_is_denied_what_is_not_allowed(tmp_path):
    objects = render("gpu", (), tmp_path)
    deny = objects.one("NetworkPolicy", "trireel-deny")["spec"]
    assert set(deny) == {"podSelector", "policyTypes"}
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    for name in objects.of("Deployment"):
        assert selects(deny["podSelector"], objects.labels_of(name))


def test_envoy_may_go_where_its_configuration_sends_it(tmp_path):
    objects = render("cpu", (), tmp_path)
    peers, network = peers_of(objects), Network(objects)
    for cluster in envoy_config()["static_resources"]["clusters"]:
        for locality in cluster["load_assignment"]["endpoints"]:
            for each in locality["lb_endpoints"]:
                endpoint = each["endpoint"]
                address = endpoint["address"]["socket_address"]
                if address["address"] == "127.0.0.1":
                    continue
                ports = {
                    address["port_value"],
                    endpoint.get("health_check_config", {}).get("port_value", 8000),
                }
                for port in ports:
                    assert network.lets(peers["envoy"], peers["server"], port)
