# SPDX-License-Identifier: Apache-2.0
"""Files of an output in a folder or in S3. Each appears whole or not at all."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trireel_app.errors import LibraryError
from trireel_app.sources import buckets
from trireel_app.sources.source import scheme_of

TEMPORARY = ".trireel-"
"""Beginning of the names of files and folders that are not output."""


def join(folder: str, name: str) -> str:
    """Return the address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def parent(address: str) -> str:
    """Return the folder of a file."""
    return address.rstrip("/").rpartition("/")[0] or "/"


def write(address: str, data: bytes) -> None:
    """Write a file, by rename in a folder; raises LibraryError."""
    if scheme_of(address) == "s3":
        buckets.write(address, data)
        return
    with _reasons(address, "written"):
        path = Path(address)
        temporary = path.with_name(f"{TEMPORARY}{path.name}-{secrets.token_hex(4)}")
        try:
            _write_file(temporary, data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def read(address: str) -> bytes:
    """Read a file; raises LibraryError."""
    if scheme_of(address) == "s3":
        return buckets.read(address)
    with _reasons(address, "read"):
        return Path(address).read_bytes()


@contextmanager
def assembled(address: str) -> Iterator[Path]:
    """Give the path of a new file, which takes its place when the block ends without an error.

    Raises:
        LibraryError: if it cannot be written.
    """
    is_remote = scheme_of(address) == "s3"
    with _reasons(address, "written"):
        folder = tempfile.gettempdir() if is_remote else parent(address)
        os.makedirs(folder, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            if is_remote:
                buckets.upload(address, name)
            else:
                _sync(temporary)
                temporary.chmod(0o666 & ~_umask())
                os.replace(temporary, address)
                _sync(Path(folder))
        finally:
            temporary.unlink(missing_ok=True)


def names_in(folder: str) -> list[str]:
    """Return the names of the files in a folder, in order; raises LibraryError."""
    if scheme_of(folder) == "s3":
        found = buckets.listed(join(folder, ""), recursive=False)
        return sorted(each.uri.rpartition("/")[2] for each in found)
    with _reasons(folder, "read"):
        try:
            return sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
        except FileNotFoundError:
            return []


def remove(addresses: list[str]) -> None:
    """Remove files; those that are not there are no error. Raises LibraryError."""
    for address in addresses:
        if scheme_of(address) == "s3":
            buckets.remove([address])
            continue
        with _reasons(address, "removed"):
            Path(address).unlink(missing_ok=True)


def remove_folder(folder: str) -> None:
    """Remove a folder of ours with all that is in it; raises LibraryError."""
    if scheme_of(folder) == "s3":
        remove([join(folder, name) for name in names_in(folder)])
        return
    with _reasons(folder, "removed"):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass


def _write_file(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except FileNotFoundError:  # the first file of its folder
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


@contextmanager
def _reasons(address: str, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LibraryError(f"{address!r} cannot be {verb}: {error.strerror or error}") from error
