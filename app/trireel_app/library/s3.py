# SPDX-License-Identifier: Apache-2.0
"""A library in a bucket; credentials and endpoint are boto3's own: environment, profile, role."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from trireel_app.errors import InvalidOption, LibraryError
from trireel_app.library.storage import FileGone, StoredFile

S3 = "s3://"
T = TypeVar("T")
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class S3Storage:
    """A prefix of a bucket. Writing an object replaces it at once, so no rename is needed."""

    def __init__(self, uri: str) -> None:
        """Name a bucket and a prefix; raises InvalidOption if the URI has no bucket."""
        self._bucket, _, prefix = uri.removeprefix(S3).partition("/")
        if not self._bucket:
            raise InvalidOption(f"{uri!r} names no bucket: give s3://bucket/prefix")
        self._prefix = prefix.strip("/")
        self.root = f"{S3}{self._bucket}/{self._prefix}".rstrip("/")

    @cached_property
    def _client(self) -> Any:
        import boto3  # type: ignore[import-untyped]

        return boto3.client("s3")

    def read(self, name: str) -> bytes:
        def call() -> bytes:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
            body: bytes = answer["Body"].read()
            return body

        return self._called("read", name, call)

    def write(self, name: str, data: bytes) -> None:
        self._called(
            "written",
            name,
            lambda: self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data),
        )

    def remove(self, name: str) -> None:
        self._called(
            "removed",
            name,
            lambda: self._client.delete_object(Bucket=self._bucket, Key=self._key(name)),
        )

    def folders(self, name: str) -> list[str]:
        start = f"{self._key(name)}/"
        pages = self._pages(name, Prefix=start, Delimiter="/")
        found = (folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", ()))
        return sorted(folder.removeprefix(start).rstrip("/") for folder in found)

    def files(self, name: str) -> Iterator[StoredFile]:
        base = f"{self._prefix}/" if self._prefix else ""
        for page in self._pages(name, Prefix=f"{self._key(name)}/"):
            for item in page.get("Contents", ()):
                yield StoredFile(item["Key"].removeprefix(base), item["LastModified"].timestamp())

    def address(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _pages(self, name: str, **arguments: str) -> list[Any]:
        paginator = self._client.get_paginator("list_objects_v2")
        return self._called(
            "listed", name, lambda: list(paginator.paginate(Bucket=self._bucket, **arguments))
        )

    def _called(self, verb: str, name: str, call: Callable[[], T]) -> T:
        from botocore.exceptions import (  # type: ignore[import-untyped]
            BotoCoreError,
            ClientError,
        )

        try:
            return call()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in MISSING:
                raise FileGone(f"the library {self.root} has no file {name}") from error
            raise LibraryError(f"{self.address(name)} cannot be {verb}: {code}") from error
        except BotoCoreError as error:
            raise LibraryError(f"{self.address(name)} cannot be {verb}: {error}") from error
