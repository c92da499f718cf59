# SPDX-License-Identifier: Apache-2.0
"""The rows of the index: a row for each frame and for each scene of a video."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trireel_app.index.where import SceneKey, folded
from trireel_app.library import Entry, Frames, Label, Scene, Stretch, VideoRecord
from trireel_app.library.tables import embeddings_of, vectors
from trireel_client import Caption, Tag

VECTOR = "vector"
WORDS = "words"
DESCRIPTION = "description"
DECIMALS = 6  # of a time that is not a frame's own
LEAST_PROBABILITY = 0.1  # of a tag or caption whose words count; below it is a guess
COMMON = [
    ("video_id", pa.string()),
    ("uri", pa.string()),
    ("generation", pa.string()),
    ("added_ns", pa.int64()),
    ("scene_index", pa.int32()),
    ("begin_seconds", pa.float64()),
    ("end_seconds", pa.float64()),
    ("objects", pa.list_(pa.string())),
    ("on_screen", pa.string()),
]
FRAME_COLUMNS = (
    *("video_id", "scene_index", "added_ns", "frame_index"),
    *("begin_seconds", "end_seconds", "timestamp_seconds", VECTOR),
)
"""Columns that `frames_of` reads."""


@dataclass(frozen=True)
class VideoRows:
    """The rows of one video."""

    video_id: str
    """Id of the video."""
    added_ns: int
    """Time of indexing in nanoseconds since 1970; later rows of a video replace earlier ones."""
    frames: Any = field(repr=False)
    """Arrow table of the frames."""
    scenes: Any = field(repr=False)
    """Arrow table of the scenes."""


@dataclass(frozen=True)
class FrameRows:
    """Frames that were read from the index."""

    scenes: tuple[SceneKey, ...]
    """[n] scene of each frame."""
    added_ns: NDArray[np.int64]
    """[n] time at which the frame's video was indexed."""
    frame_indices: NDArray[np.int32]
    """[n] position of each frame in its video."""
    spans_seconds: NDArray[np.float64]
    """[n, 2] begin and end of the time for which each frame stands."""
    timestamps_seconds: NDArray[np.float64]
    """[n] PTS of each frame."""
    embeddings: NDArray[np.float32] = field(repr=False)
    """[n, D] embeddings, unit length."""


@dataclass(frozen=True)
class SceneRow:
    """A scene that was read from the index."""

    video_id: str
    """Id of the video."""
    uri: str
    """Address of the video."""
    added_ns: int
    """Time at which the video was indexed."""
    scene_index: int
    """Index of the scene in its video; that of the chunk if scenes were not requested."""
    begin_seconds: float
    """PTS at which the scene begins."""
    end_seconds: float
    """PTS at which the scene ends."""
    representative_seconds: float
    """PTS of the frame that stands for the scene."""
    tags: tuple[str, ...]
    """Tags of the scene, best first."""
    caption: str
    """Caption of the scene; empty if there is none."""
    on_screen: str
    """Texts on the screen, as they are compared; empty if there are none."""
    objects: tuple[str, ...]
    """Labels of the objects that are seen in the scene."""
    description: str
    """Descriptions of the scene, one a line; empty if it was not described."""
    words: str
    """All texts of the scene that a search for words looks at."""
    thumbnail: str
    """Name of the picture's file in the library; empty if there is none."""

    @property
    def key(self) -> SceneKey:
        """The scene's key."""
        return SceneKey(self.video_id, self.scene_index)


def frames_schema(width: int) -> Any:
    """Return the schema of the frames' rows."""
    return pa.schema(
        [
            *COMMON,
            ("frame_index", pa.int32()),
            ("timestamp_seconds", pa.float64()),
            (VECTOR, pa.list_(pa.float32(), width)),
        ]
    )


def scenes_schema(width: int) -> Any:
    """Return the schema of the scenes' rows."""
    return pa.schema(
        [
            *COMMON,
            ("representative_seconds", pa.float64()),
            ("tags", pa.list_(pa.string())),
            ("caption", pa.string()),
            (WORDS, pa.string()),
            ("thumbnail", pa.string()),
            (VECTOR, pa.list_(pa.float32(), width)),
            # Last, as in the tables of an older Trireel, to which it is added.
            (DESCRIPTION, pa.string()),
        ]
    )


def rows_of(record: VideoRecord, entry: Entry, added_ns: int) -> VideoRows:
    """Return the rows of a video; chunks take the place of scenes if it has none."""
    width = record.checkpoint.embedding_dim
    parts: Sequence[Stretch] = record.scenes or record.chunks
    indices = record.frames.scene_indices if record.scenes else record.frames.chunk_indices
    spans = _frame_spans(record.frames, parts, indices)
    same = {"video_id": record.video_id, "uri": record.uri, "generation": entry.generation}
    frames = {
        **_common(same, added_ns, indices, spans, record.labels),
        "frame_index": np.arange(len(indices), dtype=np.int32),
        "timestamp_seconds": record.frames.timestamps_seconds,
        VECTOR: vectors(record.frames.embeddings),
    }
    scene_spans = np.array([(part.start_seconds, part.end_seconds) for part in parts])
    numbers = np.arange(len(parts), dtype=np.int32)
    common = _common(same, added_ns, numbers, scene_spans, record.labels)
    descriptions = [_description(record.labels, part) for part in parts]
    scenes = {
        **common,
        "representative_seconds": [_representative_seconds(part) for part in parts],
        "tags": [[tag.text for tag in part.tags] for part in parts],
        "caption": [part.caption.text if part.caption else "" for part in parts],
        WORDS: [
            _words(part, *texts)
            for part, *texts in zip(
                parts, common["objects"], common["on_screen"], descriptions, strict=True
            )
        ],
        "thumbnail": [entry.thumbnail(index) for index in range(len(parts))],
        VECTOR: vectors(np.array([part.embedding for part in parts], np.float32)),
        DESCRIPTION: descriptions,
    }
    return VideoRows(
        record.video_id,
        added_ns,
        pa.table(frames, frames_schema(width)),
        pa.table(scenes, scenes_schema(width)),
    )


def frames_of(table: Any) -> FrameRows:
    """Return the frames of an Arrow table."""
    ids, numbers = table["video_id"].to_pylist(), table["scene_index"].to_pylist()
    spans = [table[name].to_numpy() for name in ("begin_seconds", "end_seconds")]
    return FrameRows(
        tuple(map(SceneKey, ids, numbers)),
        table["added_ns"].to_numpy(),
        table["frame_index"].to_numpy(),
        np.stack(spans, axis=1),
        table["timestamp_seconds"].to_numpy(),
        embeddings_of(table[VECTOR]),
    )


def scenes_of(table: Any) -> list[SceneRow]:
    """Return the scenes of an Arrow table."""
    names = [name for name in SceneRow.__dataclass_fields__ if name in table.column_names]
    return [
        SceneRow(
            **{
                **row,
                "tags": tuple(row["tags"]),
                "objects": tuple(row["objects"]),
                DESCRIPTION: row[DESCRIPTION] or "",  # null in rows of an older Trireel
            }
        )
        for row in table.select(names).to_pylist()
    ]


def _common(
    same: dict[str, str],
    added_ns: int,
    scenes: NDArray[np.int32],
    spans: NDArray[np.float64],
    labels: Sequence[Label],
) -> dict[str, Any]:
    count = len(scenes)
    seen = [[label for label in labels if _overlap(label, *span)] for span in spans.tolist()]
    objects = [[label.text for label in found if label.kind == "object"] for found in seen]
    texts = [[label.text for label in found if label.kind == "text"] for found in seen]
    return {
        **{name: [value] * count for name, value in same.items()},
        "added_ns": np.full(count, added_ns, np.int64),
        "scene_index": scenes,
        "begin_seconds": spans[:, 0],
        "end_seconds": spans[:, 1],
        "objects": [sorted(set(map(folded, found))) for found in objects],
        "on_screen": [folded(" ".join(dict.fromkeys(found))) for found in texts],
    }


def _frame_spans(
    frames: Frames, parts: Sequence[Stretch], indices: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return begin and end [n, 2] of the time for which each frame stands.

    It ends in the middle between the frame and the next one, or at the end of the scene.
    """
    seconds = frames.timestamps_seconds
    middles = (seconds[1:] + seconds[:-1]) / 2
    is_same = indices[1:] == indices[:-1]
    starts = np.array([part.start_seconds for part in parts])[indices]
    stops = np.array([part.end_seconds for part in parts])[indices]
    begins = np.concatenate([starts[:1], np.where(is_same, middles, starts[1:])])
    ends = np.concatenate([np.where(is_same, middles, stops[:-1]), stops[-1:]])
    spans: NDArray[np.float64] = np.round(np.stack([begins, ends], axis=1), DECIMALS)
    return spans


def _overlap(label: Label, begin_seconds: float, end_seconds: float) -> bool:
    return label.start_seconds < end_seconds and label.end_seconds >= begin_seconds


def _representative_seconds(part: Stretch) -> float:
    if isinstance(part, Scene):
        return part.representative_seconds
    return (part.start_seconds + part.end_seconds) / 2


def _description(labels: Sequence[Label], part: Stretch) -> str:
    """Return the descriptions whose middle lies in a scene: neighbours share their bounds."""
    return "\n".join(
        label.text
        for label in labels
        if label.kind == "description"
        and part.start_seconds <= (label.start_seconds + label.end_seconds) / 2 < part.end_seconds
    )


def _words(part: Stretch, objects: Sequence[str], *others: str) -> str:
    texts: list[Tag | Caption] = [*part.tags, *([part.caption] if part.caption else [])]
    likely = [text.text for text in texts if text.probability >= LEAST_PROBABILITY]
    return "\n".join(filter(None, [*likely, *objects, *others]))
