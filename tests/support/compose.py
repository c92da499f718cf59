# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml as Compose reads it: anchors merged, variables put in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
SECRETS = {"AWS_SECRET_ACCESS_KEY": "sesame", "GRAFANA_PASSWORD": "open"}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:?[-?])(?P<rest>[^}]*)\}")


@dataclass(frozen=True)
class Variable:
    """A variable in the file, as in ${NAME:-default}."""

    name: str
    kind: str
    """One of -, :-, ? and :?."""
    rest: str
    """Default, or what is said where there is none."""


def variables() -> list[Variable]:
    """Return every use of a variable in the file."""
    return [Variable(**match.groupdict()) for match in _VARIABLE.finditer(FILE.read_text())]


def load(environment: Mapping[str, str] = SECRETS) -> dict[str, Any]:
    """Return the file with an environment's values put in."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.group("name", "kind", "rest")
        given = environment.get(name)
        if given is not None and (given or kind[0] != ":"):
            return given
        assert kind.endswith("-"), f"{name} is not set: {rest}"
        return rest

    def put_in(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: put_in(child) for key, child in node.items()}
        if isinstance(node, list):
            return [put_in(child) for child in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    merged: dict[str, Any] = put_in(yaml.safe_load(FILE.read_text()))
    return merged


def example() -> dict[str, tuple[str, bool]]:
    """Return what .env.example says of each variable: its value, and whether it is set there."""
    lines = re.findall(r"^(#?)([A-Z0-9_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    return {name: (value, not hidden) for hidden, name, value in lines}
