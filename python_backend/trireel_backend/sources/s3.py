# SPDX-License-Identifier: Apache-2.0
"""Videos by s3://bucket/key, from the operator's endpoint and with the operator's credentials.

boto3 finds endpoint, region and credentials: in the environment, config files or roles.
"""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from botocore.exceptions import NoCredentialsError as NoCredentials
from urllib3.exceptions import HTTPError

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    RequestError,
    SourceRefused,
    Unavailable,
    VideoNotFound,
)
from trireel_backend.sources.addresses import is_loopback
from trireel_backend.sources.documents import HEAD_BYTES, reject_document
from trireel_backend.sources.leases import Part
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.retries import ATTEMPTS, TryAgain, retrying
from trireel_backend.sources.spool import Version
from trireel_backend.sources.transport import CONNECT_SECONDS, SILENCE_SECONDS

RANGE_BYTES = 8 * 2**20
RANGES_AT_ONCE = 4  # per video
READ_BYTES = 2**16
BUCKET = re.compile(r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
IPV4_LIKE = re.compile(r"[0-9]+(\.[0-9]+){3}")
KEY_BYTES = 1024
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NOT_FOUND = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
DENIED = ("401", "403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch")
CHANGED = ("412", "PreconditionFailed")


class S3Source:
    """Downloads from S3, several ranges at once."""

    def __init__(self, limits: SourceLimits) -> None:
        self._limits = limits
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, limits.timeout_seconds / ATTEMPTS),
            read_timeout=min(SILENCE_SECONDS, limits.timeout_seconds / ATTEMPTS),
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            response_checksum_validation="when_required",  # ranges have none
            max_pool_connections=8 * RANGES_AT_ONCE,
        )
        try:
            self._client = _direct_if_loopback(boto3.session.Session(), config)
        except (BotoCoreError, ValueError) as error:
            raise Unavailable(
                f"this server's S3 settings cannot be used ({_kind(error)})"
            ) from error

    def download(
        self, uri: str, part: Part, known_version: Version | None, deadline: Deadline
    ) -> Version | None:
        """Write the object to `part`; return its version, None if it is still `known_version`.

        Raises:
            NotAVideo: if it is a document.
            RequestError: if it cannot be fetched.
        """
        location = self._location(uri)
        with _errors_of(uri):
            head = self._client.head_object(**location)
        version = Version(head.get("ETag", ""))
        if version == known_version:
            return None
        size = int(head["ContentLength"])
        if size == 0:
            raise InvalidInput(f"{uri} is empty: name a video")
        part.reserve(size)
        unchanged = {"IfMatch": version.etag} if version.etag else {}
        self._fetch_ranges(uri, {**location, **unchanged}, size, part, deadline)
        reject_document(uri, part.head(HEAD_BYTES))
        return version

    def _location(self, uri: str) -> dict[str, str]:
        bucket, _, key = uri.partition("://")[2].partition("/")
        if not BUCKET.fullmatch(bucket) or IPV4_LIKE.fullmatch(bucket):
            raise InvalidInput(
                f"{bucket[:80]!r} is not an S3 bucket name: 3 to 63 lower-case letters, digits,"
                " dots and hyphens; give s3://bucket/key"
            )
        if self._limits.s3_buckets and bucket not in self._limits.s3_buckets:
            raise SourceRefused(f"bucket {bucket!r} is not one that this server may read")
        if not 1 <= len(key.encode()) <= KEY_BYTES or CONTROLS.search(key):
            raise InvalidInput(
                f"{uri[:80]!r} has no usable key: 1 to {KEY_BYTES} bytes without control"
                " characters; give s3://bucket/key"
            )
        # In a path, such a segment could lead to another bucket.
        if any(segment in (".", "..") for segment in key.split("/")):
            raise InvalidInput(f"key {key[:80]!r} has a segment '.' or '..': name an object")
        return {"Bucket": bucket, "Key": key}

    def _fetch_ranges(
        self, uri: str, location: dict[str, str], size: int, part: Part, deadline: Deadline
    ) -> None:
        failed = threading.Event()
        range_deadline = deadline.with_stop(failed.is_set)
        errors: list[BaseException] = []

        def fetch(start: int) -> None:
            try:
                end = min(start + RANGE_BYTES, size)
                self._fetch_range(uri, location, range(start, end), part, range_deadline)
            except BaseException as error:
                errors.append(error)  # the first one is the cause of the others
                failed.set()

        with ThreadPoolExecutor(RANGES_AT_ONCE, "s3-range") as pool:
            pool.map(fetch, range(0, size, RANGE_BYTES))
        if errors:
            raise errors[0]

    def _fetch_range(
        self, uri: str, location: dict[str, str], span: range, part: Part, deadline: Deadline
    ) -> None:
        offset = span.start
        for attempt in retrying(deadline):
            with attempt:
                deadline.remaining()
                byte_range = f"bytes={offset}-{span.stop - 1}"
                with _errors_of(uri):
                    answer = self._client.get_object(**location, Range=byte_range)
                    with answer["Body"] as body:
                        if not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
                            raise Unavailable(f"{uri}: its S3 endpoint does not support ranges")
                        for piece in _pieces(body, span.stop - offset):
                            part.write_at(offset, piece)
                            offset += len(piece)
                if offset < span.stop:
                    raise TryAgain(f"{uri} broke off in {byte_range}: try again later")


def _direct_if_loopback(session: Any, config: Config) -> Any:
    """Return a client that uses the environment's proxy, unless its endpoint is loopback."""
    client = session.client("s3", config=config)
    if not is_loopback(urlsplit(client.meta.endpoint_url).hostname or ""):
        return client
    client.close()
    return session.client("s3", config=config.merge(Config(proxies={})))


def _pieces(body: Any, size: int) -> Iterator[bytes]:
    """Yield urllib3's body as it arrives, up to `size` bytes."""
    # read1() returns after one receipt. read(n) would wait for all n bytes, however slowly they
    # arrive, without a check of the deadline.
    while size and (piece := body.read1(min(READ_BYTES, size))):
        size -= len(piece)
        yield piece


@contextmanager
def _errors_of(uri: str) -> Iterator[None]:
    """Turn boto3's and urllib3's errors into RequestErrors."""
    try:
        yield
    except RequestError:
        raise
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise _request_error(uri, code) from error
    except NoCredentials as error:
        raise SourceRefused(
            "this server has no S3 credentials: its operator must set them, and start it again"
        ) from error
    except HTTPError as error:  # in the body, for which boto3 has no retry
        raise TryAgain(f"{uri} broke off ({_kind(error)}): try again later") from error
    except BotoCoreError as error:
        raise Unavailable(f"{uri} could not be fetched ({_kind(error)})") from error


def _kind(error: Exception) -> str:
    return type(
        error
    ).__name__  # without its text, which names the endpoint: clients must not learn it


def _request_error(uri: str, code: str) -> RequestError:
    if code in NOT_FOUND:
        return VideoNotFound(f"{uri} is not there ({code})")
    if code in DENIED:
        return AccessDenied(f"{uri}: its source denies this server access ({code})")
    if code in CHANGED:
        return Unavailable(f"{uri} changed while it was fetched: try again")
    return Unavailable(f"{uri} could not be fetched: S3 answered {code or 'an error'}")
