# SPDX-License-Identifier: Apache-2.0
"""Records of videos with random embeddings, for tests of the library and the index."""

import numpy as np

from trireel_app.library import (
    Checkpoint,
    Frames,
    Label,
    Scene,
    Stretch,
    VideoRecord,
    video_id_of,
)
from trireel_client import Caption, Tag
from trireel_schema.vectors import unit

WIDTH = 16
CHECKPOINT = Checkpoint("toy", "2e0abb", WIDTH)
FRAMES_OF_SCENE = 4


def record(uri="/clips/a.mp4", seed=0, *, num_scenes=3, facts=None, labels=()):
    """Return the record of a video with a frame a second and scenes of four frames."""
    rng = np.random.default_rng(seed)
    count = num_scenes * FRAMES_OF_SCENE
    embeddings = unit(rng.normal(size=(count, WIDTH)).astype(np.float32))
    scenes = tuple(
        Scene(
            start_seconds=i * 4.0,
            end_seconds=i * 4.0 + 4.0,
            tags=(Tag(f"place {i}", 0.1 + 0.2 * i, 0.9),),
            caption=Caption(f"Something in place {i}", 0.3, 0.8),
            embedding=embeddings[i * 4],
            representative_seconds=i * 4.0 + 1,
            thumbnail=b"jpeg %d" % i,
        )
        for i in range(num_scenes)
    )
    seconds = np.arange(count) + 0.5
    return VideoRecord(
        video_id=video_id_of(uri),
        uri=uri,
        start_seconds=0.0,
        duration_seconds=float(count),
        checkpoint=CHECKPOINT,
        frames=Frames(
            seconds,
            (seconds * 1000).astype(np.int64),
            np.zeros(count, np.int32),
            np.repeat(np.arange(num_scenes), FRAMES_OF_SCENE).astype(np.int32),
            embeddings,
        ),
        chunks=(Stretch(start_seconds=0.0, end_seconds=float(count), embedding=embeddings[0]),),
        scenes=scenes,
        labels=tuple(labels),
        facts=facts or {"sampling": "16 of 10 s"},
        answer={"duration_seconds": float(count)},
    )


def label(kind, text, start_seconds, end_seconds):
    return Label(
        kind=kind, text=text, start_seconds=start_seconds, end_seconds=end_seconds, score=0.7
    )
