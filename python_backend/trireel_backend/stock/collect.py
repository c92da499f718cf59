# SPDX-License-Identifier: Apache-2.0
"""Download stock videos from Pexels, normalise them, and store them for a server to read."""

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
PAGE_VIDEOS = 80  # the API's largest page
API_SECONDS = 30.0
DOWNLOADED = ("video/mp4", "video/webm", "video/quicktime")


class StockFailed(TrireelError):
    """The stock service, or the storage for the videos, cannot be used at all."""


@dataclass(frozen=True)
class StockVideo:
    """One video that the service offers."""

    id: int
    """Number of the video at the service."""
    link: str
    """URI of the file to download."""


class Shelf(Protocol):
    """Storage for the videos."""

    def uri(self, name: str) -> str:
        """Return the path or URI by which a request to the server names the video."""

    def has(self, name: str) -> bool:
        """Return whether the video is stored already."""

    def put(self, name: str, file: Path) -> None:
        """Store a file as the video."""


class FolderShelf:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def uri(self, name: str) -> str:
        """Return the path of the video."""
        return str(self._folder / name)

    def has(self, name: str) -> bool:
        """Return whether the file exists."""
        return (self._folder / name).is_file()

    def put(self, name: str, file: Path) -> None:
        """Copy a file; a reader never sees an incomplete one."""
        part = self._folder / f".{name}.part"
        shutil.copyfile(file, part)
        part.replace(self._folder / name)


class S3Shelf:
    """A prefix in a bucket; boto3 finds endpoint, region and credentials."""

    def __init__(self, uri: str) -> None:
        """Open `s3://bucket/prefix`.

        Raises:
            StockFailed: if boto3 lacks settings, or they are invalid.
        """
        self._bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        with _s3_errors(uri):
            self._client = boto3.session.Session().client("s3")

    def uri(self, name: str) -> str:
        """Return the s3:// URI of the video."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def has(self, name: str) -> bool:
        """Return whether the object exists.

        Raises:
            StockFailed: if the bucket cannot be read.
        """
        with _s3_errors(self.uri(name)):
            try:
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                    return False
                raise
        return True

    def put(self, name: str, file: Path) -> None:
        """Upload a file.

        Raises:
            StockFailed: if the bucket cannot be written.
        """
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
    """The outcomes of the requested videos."""

    stored: list[str] = field(default_factory=list)
    """Paths or URIs of the videos that were downloaded and stored."""
    reused: list[str] = field(default_factory=list)
    """Paths or URIs of the videos that were stored already."""
    failed: dict[str, str] = field(default_factory=dict)
    """Reason of the failure by name of the video."""


def search(query: str, count: int, key: str, *, api: str = API) -> list[StockVideo]:
    """Return up to `count` videos that the service finds for a query.

    Raises:
        StockFailed: if the service rejects the request, or does not answer.
    """
    deadline = Deadline(10 * API_SECONDS)
    videos: dict[int, StockVideo] = {}
    with httpx.Client(timeout=API_SECONDS, headers={"Authorization": key}) as client:
        page = 1
        while len(videos) < count:
            parameters: dict[str, str | int] = {"query": query, "per_page": min(count, PAGE_VIDEOS)}
            parameters["page"] = page
            answer = _get_with_retries(client, f"{api}/videos/search", parameters, deadline)
            videos_before = len(videos)
            for video in answer.get("videos", ()):
                if (link := choose_file(video.get("video_files", ()))) is not None:
                    videos.setdefault(int(video["id"]), StockVideo(int(video["id"]), link))
            if not answer.get("next_page") or len(videos) == videos_before:
                break
            page += 1
    return list(videos.values())[:count]


def choose_file(files: Iterable[dict[str, Any]], size_px: int = SIZE_PX) -> str | None:
    """Return the link of the smallest file with both sides at least `size_px`, or of the largest.

    Returns None if no file has a known size and a format that can be normalised.
    """
    usable = [
        file
        for file in files
        if file.get("file_type") in DOWNLOADED and file.get("width") and file.get("height")
    ]
    large_enough = [file for file in usable if min(file["width"], file["height"]) >= size_px]
    if large_enough:
        return str(min(large_enough, key=_pixels)["link"])
    return str(max(usable, key=_pixels)["link"]) if usable else None


def collect(
    queries: Iterable[str],
    shelf: Shelf,
    find: Callable[[str], list[StockVideo]],
    folders: MediaFolders,
    *,
    form: Form | None = None,
    report: Callable[[str, str], None] = lambda name, outcome: None,
) -> Summary:
    """Store every query's videos on the shelf; if one fails, continue with the others.

    Args:
        find: returns a query's videos, as `search` does.
        folders: the folders and limits of downloads.
        form: form of the stored videos; None for the default.
        report: called once per video with its name and "stored", "reused" or the failure's reason.

    Raises:
        StockFailed: if the service or the shelf cannot be used at all.
    """
    summary = Summary()
    for query in queries:
        for video in find(query):
            name = f"{_slug(query)}-{video.id}.mp4"
            try:
                outcome = _store(name, video, shelf, folders, form or Form())
                (summary.stored if outcome == "stored" else summary.reused).append(shelf.uri(name))
            except RequestError as error:
                outcome = summary.failed[name] = str(error)
            report(name, outcome)
    return summary


def _store(name: str, video: StockVideo, shelf: Shelf, folders: MediaFolders, form: Form) -> str:
    if shelf.has(name):
        return "reused"
    with (
        local_video(folders, video.link, None) as download,
        tempfile.TemporaryDirectory(prefix="trireel-stock-") as folder,
    ):
        normalise(download, Path(folder) / name, form)
        shelf.put(name, Path(folder) / name)
    return "stored"


def _get_with_retries(
    client: httpx.Client, url: str, parameters: dict[str, str | int], deadline: Deadline
) -> dict[str, Any]:
    try:
        for attempt in retrying(deadline):
            with attempt:
                return _get(client, url, parameters)
    except TryAgain as error:
        raise StockFailed(str(error)) from error
    raise AssertionError("tenacity raises the last attempt's error")


def _get(client: httpx.Client, url: str, parameters: dict[str, str | int]) -> dict[str, Any]:
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
        raise StockFailed(f"{url} did not answer with JSON") from error
    return answer


def _pixels(file: dict[str, Any]) -> int:
    return int(file["width"]) * int(file["height"])


def _slug(query: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", query.lower()).strip("-") or "video"
