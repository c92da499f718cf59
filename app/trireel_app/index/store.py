# SPDX-License-Identifier: Apache-2.0
"""The frames and scenes of a library's videos, and the search over them.

Below `INDEXED_FROM_ROWS` frames a search compares all of them. Above, it uses an IVF_RQ index and
compares its candidates once more by their whole vectors: frames come in runs that are nearly equal,
in which graph indexes lose answers.

A video's rows are one write for each table. They are added first, and older rows of the video are
deleted then, so a writer that is killed leaves every video readable. `delete_superseded` removes
what such a writer left.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_app.index.lance import LanceTable
from trireel_app.index.rows import (
    FRAME_COLUMNS,
    VECTOR,
    WORDS,
    FrameRows,
    SceneRow,
    VideoRows,
    frames_of,
    frames_schema,
    scenes_of,
    scenes_schema,
)
from trireel_app.index.where import Where, quoted

INDEXED_FROM_ROWS = 50_000
REINDEXED_AT = 4  # times the rows that the index was made of
KEPT = timedelta(hours=1)  # versions of the tables that readers may have open
INDEX_NAME = f"{VECTOR}_at_"


class MomentStore:
    """The rows of all videos. Several processes may read and write at the same time.

    All methods raise LibraryError if the tables cannot be read or written.
    """

    def __init__(self, root: str, width: int) -> None:
        """Open the tables, and make them if they are not there.

        Args:
            root: folder or `s3://` prefix of the tables.
            width: D, the width of the embeddings.
        """
        self._scenes = LanceTable(root, "scenes", scenes_schema(width))
        self._frames = LanceTable(root, "frames", frames_schema(width))

    def add(self, rows: VideoRows) -> None:
        """Add a video's rows, and delete older rows of the video."""
        self._scenes.add(rows.scenes)
        self._frames.add(rows.frames)
        older = f"video_id = {quoted(rows.video_id)} AND added_ns < {rows.added_ns}"
        for table in (self._frames, self._scenes):
            table.delete(older)

    def delete(self, video_id: str) -> None:
        """Delete a video's rows if there are any."""
        for table in (self._frames, self._scenes):
            table.delete(f"video_id = {quoted(video_id)}")

    def delete_superseded(self) -> None:
        """Delete rows of videos that have newer rows."""
        newest = self.videos()
        for table in (self._frames, self._scenes):
            for video_id, added_ns in _distinct(table, "video_id", "added_ns"):
                if video_id in newest and added_ns < newest[video_id][1]:
                    table.delete(f"video_id = {quoted(video_id)} AND added_ns = {added_ns}")

    def search(self, query: NDArray[np.float32], where: Where, k: int) -> FrameRows:
        """Return the `k` frames of highest cosine to a unit vector [D], best first."""
        condition = where.sql()
        # An index is for all videos: of a few of them it finds less, and in more time.
        few = where.names_videos and self._frames.count(condition) < INDEXED_FROM_ROWS
        found = self._frames.nearest(VECTOR, query, condition, k, FRAME_COLUMNS, by_index=not few)
        return frames_of(found)

    def frames(self, where: Where) -> FrameRows:
        """Return the frames that meet the conditions, in any order."""
        return frames_of(self._frames.rows(where.sql(), FRAME_COLUMNS))

    def scenes(self, where: Where) -> list[SceneRow]:
        """Return the scenes that meet the conditions, in any order."""
        return scenes_of(self._scenes.rows(where.sql()))

    def scenes_with_words(self, text: str, where: Where, k: int) -> list[SceneRow]:
        """Return the `k` scenes whose words fit a text best; none before they are indexed."""
        if not self._scenes.is_indexed(WORDS):
            return []
        return scenes_of(self._scenes.with_words(WORDS, text, where.sql(), k))

    def words_of(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """Return the words of each text: stems, without very frequent words.

        All are empty before the scenes' words are indexed.
        """
        if not self._scenes.is_indexed(WORDS):
            return [frozenset() for _ in texts]
        return self._scenes.words_of(WORDS, texts)

    def videos(self) -> dict[str, tuple[str, int]]:
        """Return generation and time of indexing in ns of each video, by its id."""
        rows = _distinct(self._frames, "video_id", "generation", "added_ns")
        # The newest last: it counts.
        ordered = sorted(rows, key=lambda row: int(row[2]))
        return {video_id: (generation, added_ns) for video_id, generation, added_ns in ordered}

    def ids_of(self, name: str) -> list[str]:
        """Return the ids of the videos with this id, or whose address holds the name."""
        condition = f"video_id = {quoted(name)} OR strpos(uri, {quoted(name)}) > 0"
        return sorted(set(self._scenes.rows(condition, ("video_id",))["video_id"].to_pylist()))

    def added_ns(self, video_id: str) -> int:
        """Return the time at which a video was indexed last, 0 if it is not here."""
        where = f"video_id = {quoted(video_id)}"
        found = self._frames.rows(where, ("added_ns",))["added_ns"].to_pylist()
        return max(found, default=0)

    def num_frames(self) -> int:
        """Return the number of frames."""
        return self._frames.count()

    def has_vector_index(self) -> bool:
        """Return whether searches use an index; otherwise they compare all frames."""
        return self._frames.is_indexed(VECTOR)

    def maintain(self, kept: timedelta = KEPT) -> None:
        """Make the indexes that the rows need, merge small files and remove old versions.

        Args:
            kept: age up to which old versions stay readable.
        """
        from lancedb.index import BTree

        self.index_words()
        rows = self.num_frames()
        if rows >= INDEXED_FROM_ROWS:
            for table in (self._frames, self._scenes):
                if not table.index_names("video_id"):
                    table.index("video_id", BTree())
            self._index_vectors(rows)
        for table in (self._frames, self._scenes):
            table.optimise(kept)

    def index_words(self) -> None:
        """Make the index of words if there are scenes and it is missing."""
        from lancedb.index import FTS

        if not self._scenes.is_indexed(WORDS) and self._scenes.count():
            self._scenes.index(WORDS, FTS())

    def _index_vectors(self, rows: int) -> None:
        """Index the frames' embeddings if they are not, or grew too much since they were."""
        from lancedb.index import IvfRq

        older = self._frames.index_names(VECTOR)
        indexed = max((int(name.removeprefix(INDEX_NAME)) for name in older), default=0)
        if rows < REINDEXED_AT * indexed:
            return
        self._frames.index(VECTOR, IvfRq(distance_type="cosine"), f"{INDEX_NAME}{rows}")
        for name in older:
            self._frames.drop_index(name)


def _distinct(table: LanceTable, *columns: str) -> list[tuple[Any, ...]]:
    """Return each combination of values that the rows have in the columns once."""
    found = table.rows(columns=columns).group_by(list(columns)).aggregate([])
    return [tuple(row[name] for name in columns) for row in found.to_pylist()]
