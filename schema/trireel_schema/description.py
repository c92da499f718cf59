# SPDX-License-Identifier: Apache-2.0
"""The model `describe`, and the facts about it that other models need."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trireel_schema.json_files import read_json, write_json

DESCRIBE_MODEL = "describe"
"""Name of the model in the model repository."""
DESCRIBER_FILE = "describer.json"
"""File in the version folders of models that need the facts."""
DESCRIPTION = "description"
"""Name of the finding that calls the model."""
FORMAT_VERSION = 1
"""Version of the file that is written, and the only one that is read."""


@dataclass(frozen=True)
class DescriberFacts:
    """What the operator's backends of `describe` can do."""

    sees: bool
    """True if one of them takes pictures."""
    chats: bool
    """True if one of them answers questions without pictures."""

    def write(self, path: Path) -> None:
        """Write the facts as JSON."""
        write_json({"format_version": FORMAT_VERSION, **asdict(self)}, path)

    @classmethod
    def read(cls, path: Path) -> "DescriberFacts":
        """Read the facts that the launcher wrote."""
        return read_json(path, FORMAT_VERSION, cls._of)

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "DescriberFacts":
        return cls(sees=values["sees"] is True, chats=values["chats"] is True)
