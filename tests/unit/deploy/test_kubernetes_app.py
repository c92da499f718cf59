# SPDX-License-Identifier: Apache-2.0
"""The component of the gateway and the workers: valid, confined, and at one with their commands."""

import kubernetes_validate
import pytest
import typer
import yaml
from unit.deploy.rendered import ROOT, Objects, render, selects

from trireel_app.commands.gateway import gateway
from trireel_app.commands.worker import worker

KUBERNETES_VERSION = "1.37"
OURS = ("trireel-gateway", "trireel-worker")


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> Objects:
    return render("cpu", ["app"], tmp_path_factory.mktemp("overlay"))


def container_of(objects, name):
    (container,) = objects.pod(name)["spec"]["containers"]
    return container


def test_every_object_is_valid_and_in_the_namespace(objects):
    for each in objects:
        kubernetes_validate.validate(each, KUBERNETES_VERSION, strict=True)
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"] == "trireel"
    assert not objects.of("Secret")


@pytest.mark.parametrize("name", OURS)
def test_pods_are_confined_and_found_by_their_selectors(objects, name):
    spec, container = objects.pod(name)["spec"], container_of(objects, name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["image"] == "trireel-app:0.1.0"
    assert container["resources"]["limits"]["memory"]
    assert selects(objects.one("Deployment", name)["spec"]["selector"], objects.labels_of(name))
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize(("name", "command"), [(OURS[0], gateway), (OURS[1], worker)])
def test_arguments_are_options_of_the_commands(objects, name, command):
    container = container_of(objects, name)
    first, *arguments = container["args"]
    app = typer.Typer()
    app.command()(command)
    params = typer.main.get_command(app).make_context(first, arguments).params
    assert first == name.removeprefix("trireel-")
    (url,) = params["url"]
    host, port = url.split(":")
    assert objects.one("Service", host)["spec"]["ports"][0]["port"] == int(port)
    if name == "trireel-gateway":
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == {"http": params["port"], "metrics": params["metrics_port"]}
        assert params["behind_tls"] is True
    else:
        grace = objects.pod(name)["spec"]["terminationGracePeriodSeconds"]
        assert params["drain_seconds"] < grace


def test_probes_use_a_name_that_the_gateway_knows(objects):
    container = container_of(objects, "trireel-gateway")
    paths = set()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        request = container[probe]["httpGet"]
        assert request["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
        paths.add(request["path"])
    assert paths == {"/healthz", "/readyz"}


def test_only_the_gateway_may_be_called_from_elsewhere(objects):
    policies = objects.of("NetworkPolicy")
    ingress = policies["trireel-gateway"]["spec"]["ingress"]
    assert ingress[0] == {"ports": [{"port": "http"}]}
    assert "ingress" not in policies["trireel-app"]["spec"]
    assert selects(
        policies["trireel-deny"]["spec"]["podSelector"], objects.labels_of("trireel-worker")
    )


def test_without_the_component_there_is_nothing_of_it(tmp_path):
    text = yaml.safe_dump(list(render("cpu", (), tmp_path)))
    assert "trireel-gateway" not in text
    assert "trireel-app" not in text


def test_the_image_has_the_commands_and_reads_the_folders():
    dockerfile = (ROOT / "deploy/app/Dockerfile").read_text()
    assert "USER 1000:1000" in dockerfile
    assert "TRIREEL_UPLOADS=/uploads" in dockerfile
    assert 'ENTRYPOINT ["trireel"]' in dockerfile
