# SPDX-License-Identifier: Apache-2.0
"""Clips in a bucket of S3, or of a server that speaks its protocol."""

import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from trireel_client._clips.place import File
from trireel_client._errors import ClipsNotWritten, InvalidRequest, Unsupported

SCHEME = "s3://"
MULTIPART_BYTES = 8 * 2**20  # of each part, and of the largest file that is sent in one
MOST_UPLOADS = 4  # at once; each holds its file in memory
ATTEMPTS = 4
CONNECT_SECONDS, READ_SECONDS = 10, 60
DELETES = 1000  # most of one request
HINTS = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "these credentials may not list, write and delete there",
    "InvalidAccessKeyId": "S3 does not know these credentials",
    "SignatureDoesNotMatch": "S3 does not accept these credentials",
    "NoCredentialsError": "there are no credentials: set AWS_ACCESS_KEY_ID and its secret",
    "EndpointConnectionError": "S3 cannot be reached",
    "ConnectTimeoutError": "S3 does not answer",
    "ReadTimeoutError": "S3 does not answer",
}
"""What people read of S3's error codes and of boto3's errors, by name."""


class Bucket:
    """A prefix of a bucket. Files are uploaded in the background, large ones in parts.

    An object appears when its upload is complete; the parts of one that fails are removed.
    """

    def __init__(self, uri: str) -> None:
        """Read `s3://BUCKET/PREFIX`.

        Raises:
            InvalidRequest: if the URI names no bucket.
            Unsupported: if boto3 is not installed.
        """
        bucket, _, prefix = uri.removeprefix(SCHEME).partition("/")
        if not bucket:
            raise InvalidRequest(f"{uri!r} names no bucket: give s3://BUCKET/PREFIX")
        prefix = prefix.strip("/")
        self.name = f"{SCHEME}{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client, self._manager = _connected()
        self._keys: list[str] = []
        self._uploads: deque[Any] = deque()

    def prepare(self) -> None:
        """Look for clips; raises ClipsNotWritten if some are there, or S3 denies it."""
        with self._explained():
            found = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1
            )
        if found.get("KeyCount"):
            raise ClipsNotWritten(f"{self.name} holds objects: give an empty or new prefix")

    def put(self, file: File) -> None:
        """Begin to upload a file, when no more than three others are on their way."""
        with self._explained():
            while len(self._uploads) >= MOST_UPLOADS:
                self._uploads.popleft().result()
            key = self._prefix + file.name
            self._keys.append(key)
            self._uploads.append(
                self._manager.upload(
                    io.BytesIO(file.content),
                    self._bucket,
                    key,
                    extra_args={"ContentType": file.media_type},
                )
            )

    def settle(self) -> None:
        """Wait until all files are uploaded; raises ClipsNotWritten."""
        with self._explained():
            while self._uploads:
                self._uploads.popleft().result()

    def discard(self) -> None:
        """End the uploads and delete the objects; raises ClipsNotWritten."""
        # Not by the manager's shutdown(cancel=True), which raises TypeError in s3transfer 0.19.
        for upload in self._uploads:
            upload.cancel()
        for upload in self._uploads:
            with suppress(Exception):  # it ends with its error, when its parts are removed
                upload.result()
        self._uploads.clear()
        try:
            with self._explained():
                self._delete()
        except ClipsNotWritten as error:
            raise ClipsNotWritten(
                f"up to {len(self._keys)} clips remain in {self.name}, delete them: {error}"
            ) from error
        self._keys.clear()

    def close(self) -> None:
        """End the threads of the uploads, and close the connections."""
        self._manager.shutdown()
        self._client.close()

    def _delete(self) -> None:
        for first in range(0, len(self._keys), DELETES):
            keys = [{"Key": key} for key in self._keys[first : first + DELETES]]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise ClipsNotWritten(HINTS.get(errors[0]["Code"], errors[0]["Message"]))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise ClipsNotWritten instead of boto3's errors."""
        from botocore.exceptions import (  # type: ignore[import-untyped]
            BotoCoreError,
            ClientError,
            HTTPClientError,
        )

        try:
            yield
        except ClientError as error:
            answer = error.response.get("Error", {})
            code = answer.get("Code", "")
            raise self._failed(
                HINTS.get(code) or f"{answer.get('Message', '')} ({code})"
            ) from error
        except (BotoCoreError, HTTPClientError) as error:
            raise self._failed(HINTS.get(type(error).__name__) or str(error)) from error

    def _failed(self, reason: str) -> ClipsNotWritten:
        return ClipsNotWritten(f"the clips cannot be written to {self.name}: {reason}")


def _connected() -> tuple[Any, Any]:
    """Return a client and an upload manager; credentials and endpoint are boto3's usual ones."""
    try:
        import boto3  # type: ignore[import-untyped]
        from boto3.s3.transfer import (  # type: ignore[import-untyped]
            TransferConfig,
            create_transfer_manager,
        )
        from botocore.config import Config  # type: ignore[import-untyped]
    except ImportError as error:
        raise Unsupported(
            "clips in S3 need boto3: install it with `pip install 'trireel-client[s3]'`"
        ) from error
    client = boto3.client(
        "s3",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        ),
    )
    config = TransferConfig(
        multipart_threshold=MULTIPART_BYTES,
        multipart_chunksize=MULTIPART_BYTES,
        max_concurrency=MOST_UPLOADS,
    )
    return client, create_transfer_manager(client, config)
