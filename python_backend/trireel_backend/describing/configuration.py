# SPDX-License-Identifier: Apache-2.0
"""The file that lists the backends of `describe`, in the order in which they are tried."""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from trireel_backend.errors import StartupError

TRANSFORMERS, OPENAI = "transformers", "openai"
KINDS = (TRANSFORMERS, OPENAI)
MOST_BACKENDS = 16
MOST_NUMBER = 1e6
BITS = (4, 8)
LOCAL_NAMES = ("localhost", "ip6-localhost")


@dataclass(frozen=True)
class BackendConfig:
    """One backend, as the file states it."""

    name: str
    """Name that answers and messages give it."""
    kind: str
    """`transformers` or `openai`."""
    model: str
    """Folder (relative to the file) or hub name for transformers; the server's name for openai."""
    sees: bool = True
    """True if it answers questions with pictures."""
    chats: bool = True
    """True if it answers questions without pictures."""
    seconds: float = 60.0
    """Longest time of an answer in seconds, from its start."""
    first_seconds: float = 20.0
    """Longest wait in seconds for the first piece of an answer; loading a model is not counted."""
    tokens_per_minute: int = 0
    """Most tokens of questions and answers in a minute; 0 for no limit."""
    most_requests: int = 16
    """Most questions in flight at this backend; a further one goes to the next backend."""
    failures: int = 3
    """Failures in a row after which the backend is left out for a while."""
    pause_seconds: float = 30.0
    """Time in seconds for which it is then left out."""
    url: str = ""
    """Base address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1."""
    key_env: str = ""
    """Name of the environment variable that holds the key; empty for none."""
    idle_seconds: float = 300.0
    """Time in seconds without a question after which a model of transformers is unloaded."""
    load_seconds: float = 600.0
    """Longest time in seconds in which a model of transformers must load."""
    most_batch: int = 16
    """Most questions that a model of transformers answers in one batch."""
    device: str = "auto"
    """`auto`, `cpu` or a device of PyTorch, such as `cuda:0`."""
    dtype: str = "auto"
    """Data type of the weights by PyTorch's name, `auto` for the checkpoint's own."""
    bits: int = 0
    """4 or 8 to load the weights quantised by bitsandbytes, 0 for the data type."""


_REQUIRED = tuple(field.name for field in fields(BackendConfig) if field.default is MISSING)
_TYPES: Mapping[str, type] = get_type_hints(BackendConfig)
_ONLY: Mapping[str, tuple[str, ...]] = {
    OPENAI: ("url", "key_env"),
    TRANSFORMERS: ("idle_seconds", "load_seconds", "most_batch", "device", "dtype", "bits"),
}
"""Fields that belong to one kind."""
_POSITIVE = (
    *("seconds", "first_seconds", "most_requests", "failures", "pause_seconds"),
    *("idle_seconds", "load_seconds", "most_batch"),
)


def load_backends(path: Path) -> tuple[BackendConfig, ...]:
    """Read the file, and check everything that can be checked before a question comes.

    Raises:
        StartupError: if the file is missing, or an entry is not allowed.
    """
    try:
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise StartupError(f"{path} cannot be read ({error.strerror}): give a JSON file") from error
    except ValueError as error:
        raise StartupError(f"{path} is not JSON: {error}") from error
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_BACKENDS:
        raise StartupError(f"{path} is not a list of 1 to {MOST_BACKENDS} backends")
    backends = tuple(_backend(f"{path}, backend {i + 1}", each) for i, each in enumerate(entries))
    names = [backend.name for backend in backends]
    for name in names:
        if names.count(name) > 1:
            raise StartupError(f"{path}: two backends have the name {name!r}: give each its own")
    return tuple(_with_folder(backend, path.parent) for backend in backends)


def key_of(backend: BackendConfig) -> str:
    """Return the key of a backend, empty if it needs none; raises StartupError if it is not set."""
    if not backend.key_env:
        return ""
    key = os.environ.get(backend.key_env, "")
    if not key:
        raise StartupError(
            f"backend {backend.name!r} takes its key from the environment variable"
            f" {backend.key_env}, which is not set: set it, or take key_env out"
        )
    return key


def _backend(where: str, entry: Any) -> BackendConfig:
    if not isinstance(entry, dict):
        raise StartupError(f"{where} is not an object with name, kind and model")
    missing = [name for name in _REQUIRED if name not in entry]
    if missing:
        raise StartupError(f"{where} lacks {', '.join(missing)}")
    unknown = [name for name in entry if name not in _TYPES]
    if unknown:
        raise StartupError(f"{where} has {unknown[0]!r}: use {', '.join(_TYPES)}")
    backend = BackendConfig(**{name: _value(where, name, value) for name, value in entry.items()})
    _check(where, backend, entry)
    return backend


def _value(where: str, name: str, value: Any) -> Any:
    kind = _TYPES[name]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise StartupError(f"{where}: {name} is {value!r}: give a value of type {kind.__name__}")
    if name in _POSITIVE and not 0 < float(str(value)) < MOST_NUMBER:
        raise StartupError(f"{where}: {name} is {value!r}: give a number above 0")
    return value


def _check(where: str, backend: BackendConfig, entry: Mapping[str, Any]) -> None:
    if backend.kind not in KINDS:
        raise StartupError(f"{where}: kind is {backend.kind!r}: give {' or '.join(KINDS)}")
    for name in ("name", "model"):
        if not getattr(backend, name).strip():
            raise StartupError(f"{where}: {name} is blank")
    for kind, names in _ONLY.items():
        misplaced = [name for name in names if name in entry and kind != backend.kind]
        if misplaced:
            raise StartupError(f"{where}: {misplaced[0]} is for kind {kind}, not {backend.kind}")
    if not backend.sees and not backend.chats:
        raise StartupError(f"{where} neither sees nor chats: set sees or chats to true")
    if backend.tokens_per_minute < 0:
        raise StartupError(f"{where}: tokens_per_minute is negative: give 0 for no limit")
    if backend.bits and backend.bits not in BITS:
        raise StartupError(f"{where}: bits is {backend.bits}: give 4 or 8, or leave it out")
    if backend.kind == OPENAI:
        _check_url(where, backend)


def _check_url(where: str, backend: BackendConfig) -> None:
    url = urlsplit(backend.url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise StartupError(
            f"{where}: url is {backend.url!r}: give an address like http://127.0.0.1:8000/v1"
        )
    if backend.key_env and url.scheme == "http" and not _is_local(url.hostname):
        raise StartupError(
            f"{where}: the key would travel unencrypted to {url.hostname}: use https"
        )


def _is_local(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host in LOCAL_NAMES
    return address.is_loopback or address.is_private


def _with_folder(backend: BackendConfig, base: Path) -> BackendConfig:
    folder = base / backend.model
    if backend.kind != TRANSFORMERS or not folder.is_dir():
        return backend
    values = {field.name: getattr(backend, field.name) for field in fields(BackendConfig)}
    return BackendConfig(**{**values, "model": str(folder.resolve())})
