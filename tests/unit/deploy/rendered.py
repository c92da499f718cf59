# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes objects as kubectl makes them of the overlays."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
KUBECTL = Path(sys.executable).parent / "kubectl"
OVERLAYS = ("cpu", "gpu")
COMPONENTS = ("podmonitor", "s3", "tls")
"""Those that an overlay does not have by itself."""
CASES = [(overlay, components) for overlay in OVERLAYS for components in ((), COMPONENTS)]

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def render(overlay: str, components: Sequence[str], folder: Path) -> "Objects":
    """Render an overlay, with components added to it as a user would."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "trireel",
        "resources": [os.path.relpath(KUBERNETES / "overlays" / overlay, folder)],
        "components": [os.path.relpath(KUBERNETES / "components" / c, folder) for c in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return build(folder)


def build(folder: Path) -> "Objects":
    """Let kubectl make the objects of a folder with a kustomization."""
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Objects(list(yaml.safe_load_all(done.stdout)))


def size_bytes(quantity: str) -> int:
    """Read a Kubernetes quantity such as 16Gi."""
    found = re.fullmatch(r"(\d+)([A-Za-z]*)", quantity)
    assert found, quantity
    return int(found[1]) * UNITS[found[2]]


class Objects(list):
    """All objects of one rendering."""

    def of(self, kind: str) -> dict[str, Any]:
        """Return the objects of a kind by name."""
        return {each["metadata"]["name"]: each for each in self if each["kind"] == kind}

    def one(self, kind: str, name: str) -> Any:
        """Return an object; one that kustomize made a name for, by how that begins."""
        named = self.of(kind)
        (full_name,) = [each for each in named if re.fullmatch(rf"{name}(-[a-z0-9]{{10}})?", each)]
        return named[full_name]

    def pod(self, deployment: str) -> Any:
        """Return the pod template of a Deployment."""
        return self.one("Deployment", deployment)["spec"]["template"]

    def containers(self) -> Iterator[tuple[Any, Any]]:
        """Yield every container of every pod, with its pod's spec."""
        for deployment in self.of("Deployment").values():
            spec = deployment["spec"]["template"]["spec"]
            for container in (*spec.get("initContainers", ()), *spec["containers"]):
                yield spec, container

    def labels_of(self, deployment: str) -> dict[str, str]:
        """Return the labels of a Deployment's pods."""
        return self.pod(deployment)["metadata"]["labels"]


def selects(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """Tell whether a selector of `matchLabels` fits; an empty one fits all."""
    assert selector is None or set(selector) <= {"matchLabels"}
    return (selector or {}).get("matchLabels", {}).items() <= labels.items()
