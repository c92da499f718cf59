# SPDX-License-Identifier: Apache-2.0
"""Objects of an S3 bucket: listed, described, read and written by boto3 with its own settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from trireel_app.errors import InvalidOption, LibraryError

S3 = "s3://"


@dataclass(frozen=True)
class ObjectFacts:
    """One object of a bucket."""

    uri: str
    """Address of the object."""
    size_bytes: int
    """Size of the object."""
    version: str
    """Text that changes whenever the object's bytes change: its ETag."""


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address; raises InvalidOption without a bucket."""
    bucket, _, key = uri.removeprefix(S3).partition("/")
    if not bucket:
        raise InvalidOption(f"{uri!r} names no bucket: give s3://BUCKET/KEY")
    return bucket, key


def listed(uri: str, *, recursive: bool) -> Iterator[ObjectFacts]:
    """Yield the objects whose address begins with `uri`, in order of their keys.

    Args:
        recursive: False to leave out keys with a further slash behind `uri`.

    Raises:
        LibraryError: if the bucket cannot be listed.
    """
    bucket, prefix = split_uri(uri)
    folders = {} if recursive else {"Delimiter": "/"}
    with _reasons(uri, "listed"):
        pages = client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, **folders):
            for found in page.get("Contents", ()):
                yield ObjectFacts(
                    f"{S3}{bucket}/{found['Key']}", found["Size"], found["ETag"].strip('"')
                )


def described(uri: str) -> ObjectFacts:
    """Return an object's facts without reading it; raises LibraryError."""
    bucket, key = split_uri(uri)
    with _reasons(uri, "read"):
        head = client().head_object(Bucket=bucket, Key=key)
    return ObjectFacts(uri, head["ContentLength"], head["ETag"].strip('"'))


def read(uri: str) -> bytes:
    """Return an object's bytes; raises LibraryError."""
    bucket, key = split_uri(uri)
    with _reasons(uri, "read"):
        return client().get_object(Bucket=bucket, Key=key)["Body"].read()  # type: ignore[no-any-return]


def write(uri: str, data: bytes) -> None:
    """Write an object, which appears whole or not at all; raises LibraryError."""
    bucket, key = split_uri(uri)
    with _reasons(uri, "written"):
        client().put_object(Bucket=bucket, Key=key, Body=data)


def upload(uri: str, path: str) -> None:
    """Write a file as an object, in parts if it is large; raises LibraryError."""
    bucket, key = split_uri(uri)
    with _reasons(uri, "written"):
        client().upload_file(path, bucket, key)


def remove(uris: list[str]) -> None:
    """Remove objects; those that are not there are no error. Raises LibraryError."""
    for uri in uris:
        bucket, key = split_uri(uri)
        with _reasons(uri, "removed"):
            client().delete_object(Bucket=bucket, Key=key)


@cache
def client() -> Any:
    """Return the client, made at its first use: its credentials are boto3's."""
    import boto3  # type: ignore[import-untyped]

    return boto3.client("s3")


@contextmanager
def _reasons(uri: str, verb: str) -> Iterator[None]:
    from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise LibraryError(f"{uri} cannot be {verb}: S3 answers {code}") from error
    except (BotoCoreError, Boto3Error) as error:
        # Messages of boto3 name hosts and settings, never a key.
        raise LibraryError(f"{uri} cannot be {verb}: {error}") from error
