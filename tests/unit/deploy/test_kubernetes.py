# SPDX-License-Identifier: Apache-2.0
"""What Kubernetes would be given: valid, and its parts fit each other and the server."""

import os
import re
import subprocess

import kubernetes_validate
import pytest
import typer
import yaml
from support.balancing import BIN, SERVERS_NAME, envoy_config
from unit.deploy.rendered import (
    CASES,
    KUBERNETES,
    ROOT,
    Objects,
    build,
    render,
    selects,
)

KUBERNETES_VERSION = "1.37"
NOT_KUBERNETES_OWN = {"PodMonitor"}
TRITON_EXIT_SECONDS = 30  # EXIT_SECONDS and UNLOAD_GRACE_SECONDS of the launcher


@pytest.fixture(scope="module", params=CASES, ids=str)
def objects(request, tmp_path_factory) -> Objects:
    return render(*request.param, tmp_path_factory.mktemp("overlay"))


@pytest.fixture(scope="module")
def gpu(tmp_path_factory) -> Objects:
    return render("gpu", (), tmp_path_factory.mktemp("gpu"))


def test_every_object_is_valid(objects):
    for each in objects:
        if each["kind"] not in NOT_KUBERNETES_OWN:
            kubernetes_validate.validate(each, KUBERNETES_VERSION, strict=True)


def test_everything_but_the_namespace_is_in_it_and_named_once(objects):
    (namespace,) = objects.of("Namespace")
    keys = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(keys) == len(set(keys))
    for each in objects:
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"] == namespace
            assert "config.kubernetes.io/local-config" not in each["metadata"].get(
                "annotations", {}
            )


def test_selectors_find_their_pods_and_ports(objects):
    pods = [objects.pod(name) for name in objects.of("Deployment")]
    for deployment in objects.of("Deployment").values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        for constraint in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert selects(constraint["labelSelector"], labels)
    for service in objects.of("Service").values():
        (found,) = [p for p in pods if service["spec"]["selector"].items()
                    <= p["metadata"]["labels"].items()]  # fmt: skip
        ports = {p["name"]: p["containerPort"] for c in found["spec"]["containers"]
                 for p in c["ports"]}  # fmt: skip
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]
    for budget in objects.of("PodDisruptionBudget").values():
        assert [selects(budget["spec"]["selector"], p["metadata"]["labels"]) for p in pods].count(
            True
        ) == 1
    for monitor in objects.of("PodMonitor").values():
        (found,) = [
            p for p in pods if selects(monitor["spec"]["selector"], p["metadata"]["labels"])
        ]
        named = {p["name"] for c in found["spec"]["containers"] for p in c["ports"]}
        assert {e["port"] for e in monitor["spec"]["podMetricsEndpoints"]} <= named


def test_envoy_resolves_the_headless_service_of_the_servers(objects):
    service = objects.one("Service", SERVERS_NAME)["spec"]
    assert service["clusterIP"] == "None"
    assert not service.get("publishNotReadyAddresses")
    assert {port["port"] for port in service["ports"]} == {8000, 8001}
    assert selects({"matchLabels": service["selector"]}, objects.labels_of("trireel-server"))


def test_envoy_runs_what_is_deployed(objects):
    data = objects.one("ConfigMap", "trireel-envoy")["data"]
    assert data["drain"] == (ROOT / "deploy/envoy/drain").read_text()
    deployed, own = yaml.safe_load(data["envoy.yaml"]), envoy_config()
    for config in (deployed, own):  # TLS alone may differ, and is tried in test_envoy.py
        del config["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"]
    assert deployed == own
    ports = {p["name"]: p["containerPort"]
             for p in objects.pod("trireel-envoy")["spec"]["containers"][0]["ports"]}  # fmt: skip
    listeners = {"ingress": "inference", "metrics": "metrics"}
    for listener in own["static_resources"]["listeners"]:
        port = listener["address"]["socket_address"]["port_value"]
        assert ports[listeners[listener["name"]]] == port


def test_scaling_is_of_what_is_there_and_of_a_metric_that_has_a_rule(objects):
    scaler = objects.one("HorizontalPodAutoscaler", "trireel-server")["spec"]
    target = scaler["scaleTargetRef"]
    deployment = objects.one(target["kind"], target["name"])
    assert deployment["apiVersion"] == target["apiVersion"]
    assert "replicas" not in deployment["spec"]  # it would undo what the autoscaler did
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    (metric,) = scaler["metrics"]
    rules = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    assert metric["pods"]["metric"]["name"] in {rule["name"]["as"] for rule in rules}
    down = scaler["behavior"]["scaleDown"]
    assert (
        down["stabilizationWindowSeconds"]
        > scaler["behavior"]["scaleUp"]["stabilizationWindowSeconds"]
    )


def settings_of(objects) -> dict[str, str]:
    return objects.one("ConfigMap", "trireel-settings")["data"]


def test_settings_are_options_of_the_server(objects):
    from trireel_backend.launch.image.cli import ENVIRONMENT_PREFIX, app

    settings = settings_of(objects)
    options = {option.name for option in typer.main.get_command(app).params}
    assert set(settings) <= {f"{ENVIRONMENT_PREFIX}_{name}".upper() for name in options}
    # It takes their values, and ends because this is not its image.
    done = subprocess.run(
        [BIN / "trireel-serve-container"], env=settings, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "run this in NVIDIA's tritonserver image" in done.stderr
    profile = settings["TRIREEL_PROFILE"]
    tower = ROOT / "model_repository/siglip_vision"
    assert (tower / f"configs/{profile}.pbtxt").is_file()


def test_commands_exist(objects):
    scripts = (ROOT / "python_backend/pyproject.toml").read_text()
    for _, container in objects.containers():
        if "trireel-server" not in container["image"]:
            continue
        probes = [container[p]["exec"]["command"] for p in ("startupProbe", "livenessProbe")
                  if p in container]  # fmt: skip
        for command in (container["command"], *probes):
            program = command[0]
            if program.startswith("/opt/trireel/"):
                assert (ROOT / program.removeprefix("/opt/trireel/")).is_file()
            else:
                assert re.search(rf"^{program} = ", scripts, re.M)


def test_probes_wait_longer_than_what_they_run(objects):
    from trireel_backend.launch.health import create_parser

    (server,) = objects.pod("trireel-server")["spec"]["containers"]
    for name in ("startupProbe", "livenessProbe"):
        probe = server[name]
        _, *arguments = probe["exec"]["command"]
        options = create_parser().parse_args(arguments)
        assert options.timeout_seconds < probe["timeoutSeconds"] <= 60
    assert server["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": "http"}


def test_there_is_time_to_stop(objects):
    pod = objects.pod("trireel-server")["spec"]
    (server,) = pod["containers"]
    leaving = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    (dns,) = {
        cluster["cluster_type"]["typed_config"]["dns_refresh_rate"]
        for cluster in envoy_config()["static_resources"]["clusters"]
        if "cluster_type" in cluster
    }
    assert leaving >= 2 * int(dns.removesuffix("s")) + 5  # Envoy's and the DNS server's cache
    stopping = int(settings_of(objects)["TRIREEL_STOP_SECONDS"]) + TRITON_EXIT_SECONDS
    assert pod["terminationGracePeriodSeconds"] >= leaving + stopping + 20
    pod = objects.pod("trireel-envoy")["spec"]
    *_, most_seconds, least_seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"][
        "command"
    ]
    assert int(least_seconds) < int(most_seconds) < pod["terminationGracePeriodSeconds"]


def test_nothing_is_taken_away_before_its_successor_is_ready(objects):
    for deployment in objects.of("Deployment").values():
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_gpus_and_engines(gpu):
    spec = gpu.pod("trireel-server")["spec"]
    assert [t["key"] for t in spec["tolerations"]] == ["nvidia.com/gpu"]
    (engine,) = spec["initContainers"]
    (server,) = spec["containers"]
    for container in (engine, server):
        assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    mounts = {c["name"]: {m["name"]: m for m in c["volumeMounts"]} for c in (engine, server)}
    assert "readOnly" not in mounts["engine"]["engines"]  # it writes what the other reads
    assert mounts["server"]["engines"]["readOnly"] is True
    assert settings_of(gpu)["TRIREEL_PROFILE"] == "tensorrt"


def test_without_a_gpu_none_is_asked_for(tmp_path):
    cpu = render("cpu", (), tmp_path)
    assert "nvidia" not in yaml.safe_dump(list(cpu))
    assert settings_of(cpu)["TRIREEL_PROFILE"] == "cpu"


def test_credentials_come_from_a_secret_that_is_not_here(tmp_path):
    objects = render("cpu", ["s3"], tmp_path)
    assert not objects.of("Secret")
    (server,) = objects.pod("trireel-server")["spec"]["containers"]
    names = [s.get("secretRef", s.get("configMapRef"))["name"] for s in server["envFrom"]]
    assert "trireel-s3" in names
    assert any(name.startswith("trireel-settings-") for name in names)  # not lost to the patch


def test_the_example_in_the_docs_works(tmp_path):
    text = (ROOT / "docs/kubernetes.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    kustomization = yaml.safe_load(example)
    for key in ("resources", "components"):
        for path in kustomization[key]:
            assert (KUBERNETES / "overlays/mine" / path).resolve().is_dir()
    overlay = KUBERNETES / "overlays"
    here = os.path.relpath(overlay / "mine", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(
        re.sub(r"\.\./(?=gpu|\.\./components)", lambda up: f"{here}/{up[0]}", example)
    )
    objects = build(tmp_path)
    assert settings_of(objects)["TRIREEL_EXTRACTORS"] == "4"
    assert settings_of(objects)["TRIREEL_PROFILE"] == "tensorrt"
    images = {container["image"] for _, container in objects.containers()}
    assert "registry.example.com/trireel-server:0.1.0" in images
    assert len(images) == 2
    assert len(objects.of("PodMonitor")) == 2
