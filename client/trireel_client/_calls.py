# SPDX-License-Identifier: Apache-2.0
"""What can be asked of a server, whatever the protocol, blocking or not."""

from dataclasses import dataclass
from pathlib import Path

from trireel_client._options import Tensors


@dataclass(frozen=True)
class Turn:
    """A request's place in its sequence."""

    sequence_id: str | int
    """The correlation id."""
    start: bool
    """This is the video's first chunk."""
    end: bool
    """This is its last."""


@dataclass(frozen=True)
class Infer:
    """Run a model."""

    model: str
    """Its name on the server."""
    inputs: Tensors
    """By tensor name."""
    outputs: tuple[str, ...] = ()
    """Those wanted; none for all."""
    request_id: str = ""
    """Shown in the server's log."""
    turn: Turn | None = None
    """For stateful models."""
    brief: bool = False
    """It costs the server next to nothing: waited for no longer than for a connection."""

    @property
    def repeatable(self) -> bool:
        """Tell whether asking twice has no other effect than asking once."""
        return self.turn is None


@dataclass(frozen=True)
class AskServerInfo:
    """Ask who the server is."""

    repeatable = True


@dataclass(frozen=True)
class AskParameters:
    """Ask for the `parameters` of a model's configuration: a dictionary of strings."""

    model: str
    """Its name on the server."""
    repeatable = True


@dataclass(frozen=True)
class AskReady:
    """Ask whether the server, or one of its models, is ready."""

    model: str | None = None
    """None for the server as a whole."""
    repeatable = False  # whoever asks wants to know how it is now


ServerCall = Infer | AskServerInfo | AskParameters | AskReady


@dataclass(frozen=True)
class ReadFile:
    """Read a file of this machine; the one call that no server is needed for."""

    path: Path
    """Absolute."""
