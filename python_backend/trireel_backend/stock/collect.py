# SPDX-License-Identifier: Apache-2.0
"""Stock videos from Pexels, brought into one form and put where a server can read them."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3  # type: ignore[import-untyped]
import httpx
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from trireel_backend.errors import RequestError, TrireelError
from trireel_backend.sources.limits import Deadline
from trireel_backend.sources.media import MediaFolders, local_video
from trireel_backend.sources.retries import TryAgain, retrying
from trireel_backend.stock.normalise import SIZE_PX, Form, normalise

API = "https://api.pexels.com"
PAGE_VIDEOS = 80  # the most the API gives at once
API_SECONDS = 30.0
DOWNLOADED = ("video/mp4", "video/webm", "video/quicktime")


class StockFailed(TrireelError):
    """The stock service, or the place the videos go to, cannot be used at all."""


@dataclass(frozen=True)
class StockVideo:
    """One video that the service offers."""

    id: int
    link: str
    """URI of the file chosen of it."""


class Shelf(Protocol):
    """Where the videos go."""

    def uri(self, name: str) -> str:
        """Return what a request to the server names the video."""

    def has(self, name: str) -> bool:
        """Say whether it is there already."""

    def put(self, name: str, file: Path) -> None:
        """Store a file."""


class FolderShelf:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def uri(self, name: str) -> str:
        """Return the path."""
        return str(self._folder / name)

    def has(self, name: str) -> bool:
        """Say whether the file is there."""
        return (self._folder / name).is_file()

    def put(self, name: str, file: Path) -> None:
        """Copy a file; nobody sees half of it."""
        part = self._folder / f".{name}.part"
        shutil.copyfile(file, part)
        part.replace(self._folder / name)


class S3Shelf:
    """A prefix in a bucket; endpoint, region and credentials as boto3 finds them."""

    def __init__(self, uri: str) -> None:
        """Take an `s3://bucket/prefix`; raises StockFailed."""
        self._bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        with _s3_errors(uri):
            self._client = boto3.session.Session().client("s3")

    def uri(self, name: str) -> str:
        """Return the s3:// URI."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def has(self, name: str) -> bool:
        """Say whether the object is there; raises StockFailed."""
        with _s3_errors(self.uri(name)):
            try:
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                    return False
                raise
        return True

    def put(self, name: str, file: Path) -> None:
        """Upload a file; raises StockFailed."""
        with _s3_errors(self.uri(name)):
            self._client.upload_file(
                str(file),
                self._bucket,
                self._prefix + name,
                ExtraArgs={"ContentType": "video/mp4"},
            )


@contextmanager
def _s3_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error, ValueError) as error:
        raise StockFailed(f"{uri} cannot be used: {error}") from error


@dataclass
class Summary:
    """What became of the videos that were asked for."""

    stored: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """From a name to the reason."""


def search(query: str, count: int, key: str, *, api: str = API) -> list[StockVideo]:
    """Return up to `count` videos that the service finds for a query.

    Raises:
        StockFailed: the service refuses, or does not answer.
    """
    deadline = Deadline(10 * API_SECONDS)
    found: dict[int, StockVideo] = {}
    with httpx.Client(timeout=API_SECONDS, headers={"Authorization": key}) as client:
        page = 1
        while len(found) < count:
            parameters: dict[str, str | int] = {"query": query, "per_page": min(count, PAGE_VIDEOS)}
            parameters["page"] = page
            answer = _ask(client, f"{api}/videos/search", parameters, deadline)
            before = len(found)
            for video in answer.get("videos", ()):
                if (link := choose_file(video.get("video_files", ()))) is not None:
                    found.setdefault(int(video["id"]), StockVideo(int(video["id"]), link))
            if not answer.get("next_page") or len(found) == before:
                break
            page += 1
    return list(found.values())[:count]


def choose_file(files: Iterable[dict[str, Any]], size_px: int = SIZE_PX) -> str | None:
    """Return the link of the smallest file with no side below `size_px`, else of the largest."""
    known = [
        file
        for file in files
        if file.get("file_type") in DOWNLOADED and file.get("width") and file.get("height")
    ]
    enough = [file for file in known if min(file["width"], file["height"]) >= size_px]
    if enough:
        return str(min(enough, key=_pixels)["link"])
    return str(max(known, key=_pixels)["link"]) if known else None


def collect(
    queries: Iterable[str],
    shelf: Shelf,
    find: Callable[[str], list[StockVideo]],
    folders: MediaFolders,
    *,
    form: Form | None = None,
    report: Callable[[str, str], None] = lambda name, outcome: None,
) -> Summary:
    """Bring every query's videos onto the shelf; one that fails does not end the others.

    Args:
        find: from a query to videos: `search`.
        folders: how and where videos are downloaded.
        report: is told of every video once, by name: "stored", "reused" or the reason it failed.

    Raises:
        StockFailed: the service or the shelf cannot be used at all.
    """
    summary = Summary()
    for query in queries:
        for video in find(query):
            name = f"{_slug(query)}-{video.id}.mp4"
            try:
                outcome = _bring(name, video, shelf, folders, form or Form())
                (summary.stored if outcome == "stored" else summary.reused).append(shelf.uri(name))
            except RequestError as error:
                outcome = summary.failed[name] = str(error)
            report(name, outcome)
    return summary


def _bring(name: str, video: StockVideo, shelf: Shelf, folders: MediaFolders, form: Form) -> str:
    if shelf.has(name):
        return "reused"
    with (
        local_video(folders, video.link, None) as downloaded,
        tempfile.TemporaryDirectory(prefix="trireel-stock-") as work,
    ):
        normalise(downloaded, Path(work) / name, form)
        shelf.put(name, Path(work) / name)
    return "stored"


def _ask(
    client: httpx.Client, url: str, parameters: dict[str, str | int], deadline: Deadline
) -> dict[str, Any]:
    try:
        for attempt in retrying(deadline):
            with attempt:
                return _answer(client, url, parameters)
    except TryAgain as error:
        raise StockFailed(str(error)) from error
    raise AssertionError("tenacity raises the last attempt's error")


def _answer(client: httpx.Client, url: str, parameters: dict[str, str | int]) -> dict[str, Any]:
    try:
        response = client.get(url, params=parameters)
    except httpx.TransportError as error:
        raise TryAgain(f"{url} does not answer: {error}") from error
    if response.status_code in (401, 403):
        raise StockFailed(f"{url} answered {response.status_code}: check the API key")
    if response.status_code == 429 or response.status_code >= 500:
        raise TryAgain(f"{url} answered {response.status_code}: try again later")
    if response.status_code != 200:
        raise StockFailed(f"{url} answered {response.status_code}")
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as error:
        raise StockFailed(f"{url} answered no JSON") from error
    return answer


def _pixels(file: dict[str, Any]) -> int:
    return int(file["width"]) * int(file["height"])


def _slug(query: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", query.lower()).strip("-") or "video"
