# SPDX-License-Identifier: Apache-2.0
"""The calls that a client makes, the same for every protocol, blocking or not."""

from dataclasses import dataclass
from pathlib import Path

from trireel_client._options import Tensors


@dataclass(frozen=True)
class Turn:
    """A request's place in its sequence."""

    sequence_id: str | int
    """Correlation id of the sequence."""
    start: bool
    """True for the video's first chunk."""
    end: bool
    """True for the video's last chunk."""


@dataclass(frozen=True)
class Infer:
    """Run a model."""

    model: str
    """Name of the model on the server."""
    inputs: Tensors
    """Input tensors by name."""
    outputs: tuple[str, ...] = ()
    """Names of the requested outputs; empty for all outputs."""
    request_id: str = ""
    """Id of the request in the server's log."""
    turn: Turn | None = None
    """Place in a sequence, for models with state."""
    brief: bool = False
    """True if the call costs the server almost nothing: the client waits as for a connection."""

    @property
    def repeatable(self) -> bool:
        """True if sending the call twice has the same effect as sending it once."""
        return self.turn is None


@dataclass(frozen=True)
class AskServerInfo:
    """Return the server's name and version."""

    repeatable = True


@dataclass(frozen=True)
class AskParameters:
    """Ask for the `parameters` of a model's configuration: a dictionary of strings."""

    model: str
    """Name of the model on the server."""
    repeatable = True


@dataclass(frozen=True)
class AskReady:
    """Ask whether the server, or one of its models, is ready."""

    model: str | None = None
    """None for the server as a whole."""
    repeatable = False  # the caller wants to know the state of this moment


ServerCall = Infer | AskServerInfo | AskParameters | AskReady


@dataclass(frozen=True)
class ReadFile:
    """Read a file of this machine; the one call that needs no server."""

    path: Path
    """Absolute path of the file."""
