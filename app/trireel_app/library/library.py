# SPDX-License-Identifier: Apache-2.0
"""The library of one folder or S3 prefix.

    library.json                               the checkpoint of all embeddings
    videos/ID/manifest.json                    names the generation that counts
    videos/ID/GENERATION/frames.parquet        and chunks, scenes, labels, answer.json
    videos/ID/GENERATION/thumbnails/0000.jpg   a picture of each scene
    index/                                     the moment index, which can be made again from these

A video's files are written first and its manifest last, at once. So a video is wholly there or not
at all, also if its writer is killed. Files that no manifest names are removed by `clean`, an hour
later, so that readers can end.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from trireel_app.errors import LibraryError
from trireel_app.library import tables
from trireel_app.library.folder import FolderStorage
from trireel_app.library.manifest import (
    FORMAT_VERSION,
    VIDEOS,
    Entry,
    as_json,
    entry_of,
    read_entry,
    read_json,
    thumbnail_name,
    written,
)
from trireel_app.library.records import Checkpoint, VideoRecord
from trireel_app.library.s3 import S3, S3Storage
from trireel_app.library.storage import FileGone, Storage

HEAD = "library.json"
MANIFEST = "manifest.json"
INDEX = "index"
KEPT_SECONDS = 3600.0
ATTEMPTS = 3  # of a reader whose files are removed by `clean` meanwhile


class Library:
    """Keeps the results of videos. Several processes may read and write it at the same time."""

    def __init__(self, root: str | Path) -> None:
        """Name a folder or an `s3://bucket/prefix`; it is made when something is written.

        Raises:
            InvalidOption: if an S3 URI has no bucket.
        """
        text = str(root)
        self.storage: Storage = (
            S3Storage(text) if text.startswith(S3) else FolderStorage(Path(text))
        )

    @property
    def root(self) -> str:
        """Path or URI of the library."""
        return self.storage.root

    def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint of all embeddings, None if the library is empty; LibraryError."""
        try:
            values = read_json(HEAD, self.storage.read(HEAD))
            return Checkpoint(**values["checkpoint"])
        except FileGone:
            return None
        except (KeyError, TypeError) as error:
            raise LibraryError(f"{HEAD} is damaged: {error!r}") from error

    def check(self, checkpoint: Checkpoint) -> None:
        """Raise LibraryError unless embeddings of a checkpoint can be compared with the library's.

        An empty library takes any checkpoint.
        """
        own = self.checkpoint()
        if own is None:
            return
        if (own.weights_sha256, own.embedding_dim) != (
            checkpoint.weights_sha256,
            checkpoint.embedding_dim,
        ):
            raise LibraryError(
                f"the library {self.root} holds embeddings of {own.name!r}, and the server has"
                f" {checkpoint.name!r} or other weights: use another folder, or index all videos"
                " again into a new one"
            )

    def put(self, record: VideoRecord) -> Entry:
        """Keep a video's results, and replace those it had; return its entry.

        Raises:
            LibraryError: if the checkpoint is not that of the library, or a file cannot be written.
        """
        self.check(record.checkpoint)
        files = _files(record)
        entry = entry_of(record, files)
        if self.checkpoint() is None:
            head = {"format_version": FORMAT_VERSION, "checkpoint": asdict(record.checkpoint)}
            self.storage.write(HEAD, as_json(head))
        folder = entry.folder
        for name, data in files.items():
            self.storage.write(f"{folder}/{name}", data)
        self.storage.write(_manifest(entry.video_id), written(entry))
        return entry

    def remove(self, video_id: str) -> bool:
        """Forget a video and remove its files; return whether it was there; raises LibraryError."""
        was_there = self.entry(video_id) is not None
        self.storage.remove(_manifest(video_id))
        for file in list(self.storage.files(f"{VIDEOS}/{video_id}")):
            self.storage.remove(file.name)
        return was_there

    def videos(self) -> Iterator[Entry]:
        """Yield the entries of all videos in the order of their ids; raises LibraryError."""
        for video_id in self.storage.folders(VIDEOS):
            entry = self.entry(video_id)
            if entry is not None:
                yield entry

    def entry(self, video_id: str) -> Entry | None:
        """Return the entry of a video, None if it is not there; raises LibraryError."""
        name = _manifest(video_id)
        try:
            return read_entry(name, self.storage.read(name))
        except FileGone:
            return None

    def record(self, video_id: str, *, with_thumbnails: bool = False) -> VideoRecord:
        """Return the results of a video; raises LibraryError if it is not there or damaged."""
        for attempt in range(ATTEMPTS):
            entry = self.entry(video_id)
            if entry is None:
                break
            try:
                return self._record(entry, with_thumbnails)
            except FileGone:  # replaced since its manifest was read
                if attempt == ATTEMPTS - 1:
                    raise
        raise LibraryError(f"the library {self.root} has no video {video_id}")

    def clean(self, older_than_seconds: float = KEPT_SECONDS) -> int:
        """Remove files that no manifest names; return their number; raises LibraryError.

        Args:
            older_than_seconds: age from which on such a file is removed; a younger one may belong
                to a writer or a reader.
        """
        removed = 0
        before_seconds = time.time() - older_than_seconds
        for video_id in self.storage.folders(VIDEOS):
            entry = self.entry(video_id)
            kept = () if entry is None else (f"{entry.folder}/", _manifest(video_id))
            for file in list(self.storage.files(f"{VIDEOS}/{video_id}")):
                if not file.name.startswith(kept) and file.modified_seconds < before_seconds:
                    self.storage.remove(file.name)
                    removed += 1
        return removed

    def _record(self, entry: Entry, with_thumbnails: bool) -> VideoRecord:
        names = [name for name in entry.files if with_thumbnails or not name.endswith(".jpg")]
        data = {name: self.storage.read(f"{entry.folder}/{name}") for name in names}
        read = {
            name: tables.table_of(f"{entry.folder}/{name}", data[name])
            for name in names
            if name.endswith(".parquet")
        }
        try:
            return VideoRecord(
                video_id=entry.video_id,
                uri=entry.uri,
                start_seconds=entry.start_seconds,
                duration_seconds=entry.duration_seconds,
                checkpoint=entry.checkpoint,
                frames=tables.frames_of(read["frames.parquet"]),
                chunks=tables.stretches_of(read["chunks.parquet"]),
                scenes=tables.scenes_of(read["scenes.parquet"], data),
                labels=tables.labels_of(read["labels.parquet"]),
                facts=entry.facts,
                answer=read_json("answer.json", data["answer.json"]),
            )
        except (KeyError, TypeError) as error:
            raise LibraryError(f"the results in {entry.folder} are damaged: {error!r}") from error


def _files(record: VideoRecord) -> dict[str, bytes]:
    video_id, width = record.video_id, record.checkpoint.embedding_dim
    pictures = {
        thumbnail_name(index): scene.thumbnail
        for index, scene in enumerate(record.scenes)
        if scene.thumbnail is not None
    }
    names = [
        None if scene.thumbnail is None else thumbnail_name(index)
        for index, scene in enumerate(record.scenes)
    ]
    found = {
        "frames": tables.frames_table(video_id, record.frames),
        "chunks": tables.stretches_table(video_id, record.chunks, width, {}),
        "scenes": tables.scenes_table(video_id, record.scenes, width, names),
        "labels": tables.labels_table(video_id, record.labels),
    }
    return {
        **{f"{name}.parquet": tables.parquet(table) for name, table in found.items()},
        "answer.json": as_json({"format_version": FORMAT_VERSION, **record.answer}),
        **pictures,
    }


def _manifest(video_id: str) -> str:
    return f"{VIDEOS}/{video_id}/{MANIFEST}"
