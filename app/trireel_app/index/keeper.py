# SPDX-License-Identifier: Apache-2.0
"""A library and its index, kept together: what is put into one is in the other."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from trireel_app.errors import LibraryError
from trireel_app.index.rows import rows_of
from trireel_app.index.store import KEPT, MomentStore
from trireel_app.library import Entry, Library, VideoRecord
from trireel_app.library.library import INDEX

MAINTAINED_EVERY = 64  # videos: each is a version and a few files of the index


@dataclass(frozen=True)
class Repair:
    """What a repair has changed in the index."""

    added: tuple[str, ...]
    """Ids of videos that were in the library and not in the index."""
    removed: tuple[str, ...]
    """Ids of videos that were in the index and not in the library."""


class Keeper:
    """Writes to a library and its index; one process may use it from several threads.

    All methods raise LibraryError if the library or the index cannot be read or written.
    """

    def __init__(self, library: Library) -> None:
        """Take a library; its index is made with the first video."""
        self.library = library
        self._store: MomentStore | None = None
        self._lock = threading.Lock()
        self._since_maintained = 0

    def store(self) -> MomentStore:
        """Return the index; raises LibraryError if the library is empty."""
        checkpoint = self.library.checkpoint()
        if checkpoint is None:
            raise LibraryError(
                f"there is no library in {self.library.root}: make one by `trireel index VIDEO...`"
            )
        if self._store is None:
            root = self.library.storage.address(INDEX)
            self._store = MomentStore(root, checkpoint.embedding_dim)
        return self._store

    def put(self, record: VideoRecord) -> Entry:
        """Keep and index a video's results, and replace those it had."""
        with self._lock:
            entry = self.library.put(record)
            self._index(record, entry)
            self._since_maintained += 1
            if self._since_maintained >= MAINTAINED_EVERY:
                self._maintain(KEPT)
            return entry

    def remove(self, video_id: str) -> bool:
        """Remove a video from the library and the index; return whether it was there."""
        with self._lock:
            store = self.store()
            # The library first: what is in the index alone is removed by a repair.
            was_there = self.library.remove(video_id)
            store.delete(video_id)
            return was_there

    def repair(self) -> Repair:
        """Make the index what the library says, after a writer was killed or the index was lost."""
        with self._lock:
            store = self.store()
            store.delete_superseded()
            indexed = store.videos()
            entries = {entry.video_id: entry for entry in self.library.videos()}
            missing = [
                entry
                for entry in entries.values()
                if indexed.get(entry.video_id, ("",))[0] != entry.generation
            ]
            for entry in missing:
                self._index(self.library.record(entry.video_id), entry)
            extra = [video_id for video_id in indexed if video_id not in entries]
            for video_id in extra:
                store.delete(video_id)
            return Repair(tuple(entry.video_id for entry in missing), tuple(extra))

    def compact(self, kept: timedelta = KEPT) -> int:
        """Tidy up: merge the index's small files, and remove what is not needed any more.

        Args:
            kept: age up to which files stay that a reader may have open.

        Returns:
            Number of the library's files that were removed.
        """
        with self._lock:
            self._maintain(kept)
            return self.library.clean(kept.total_seconds())

    def maintain(self) -> None:
        """Bring the index's own indexes up to date, after videos were put."""
        with self._lock:
            self._maintain(KEPT)

    def matching(self, name: str) -> Iterator[Entry]:
        """Yield the videos whose id is a name, or whose address holds it."""
        for entry in self.library.videos():
            if name == entry.video_id or name in entry.uri:
                yield entry

    def _index(self, record: VideoRecord, entry: Entry) -> None:
        store = self.store()
        # Later than the rows that the video has, also if the clock of their writer was ahead.
        before_ns = store.added_ns(record.video_id)
        store.add(rows_of(record, entry, max(time.time_ns(), before_ns + 1)))
        store.index_words()

    def _maintain(self, kept: timedelta) -> None:
        self.store().maintain(kept)
        self._since_maintained = 0
