# SPDX-License-Identifier: Apache-2.0
"""Write the tracks that the package `trackers` finds in made-up detections.

    $ python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install trackers==2.6.1
    $ /tmp/oracle/bin/python tests/support/track_oracle.py tests/unit/backend/tracking/oracle.npz

Objects cross each other, turn, are hidden, and are sometimes missed or weak. The file holds for
each scene the frame, box, score and label of every detection, and the track that ByteTrack gave it.
"""

import sys
from pathlib import Path

import numpy as np
import supervision
from trackers import ByteTrackTracker

SCENES, OBJECTS, FRAMES, FPS = 4, 7, 120, 10.0
SIDE_PX = 1000.0  # the oracle's filters are meant for pixels
MISSED, WEAK, FALSE = 0.05, 0.1, 0.1
STRONG_SCORE, BUFFER_SECONDS, LEAST_OVERLAP = 0.5, 3.0, 0.1


def scene(rng: np.random.Generator) -> np.ndarray:
    """Return the detections of a scene [d, 6]: frame, box as fractions, score."""
    rows = []
    for _ in range(OBJECTS):
        first = int(rng.integers(0, FRAMES // 2))
        last = int(rng.integers(first + 20, FRAMES))
        hidden = int(rng.integers(first, last))
        centre, speed = rng.uniform(0.2, 0.8, 2), rng.uniform(-0.08, 0.08, 2) / FPS
        sides = rng.uniform(0.06, 0.2, 2)
        for frame in range(first, last):
            speed += rng.normal(0, 0.0005, 2)
            centre += speed
            if hidden <= frame < hidden + 8 or rng.random() < MISSED:
                continue
            shown = centre + rng.normal(0, 0.002, 2)
            score = rng.uniform(0.2, 0.45) if rng.random() < WEAK else rng.uniform(0.6, 0.95)
            rows.append([frame, *(shown - sides / 2), *(shown + sides / 2), score])
    for frame in np.flatnonzero(rng.random(FRAMES) < FALSE):
        corner, sides = rng.uniform(0, 0.9, 2), rng.uniform(0.03, 0.1, 2)
        rows.append([frame, *corner, *(corner + sides), rng.uniform(0.5, 0.6)])
    detections = np.array(rows, np.float32)
    return detections[np.argsort(detections[:, 0], kind="stable")]


def tracks(detections: np.ndarray) -> np.ndarray:
    """Return the track of each detection [d], -1 without a track."""
    tracker = ByteTrackTracker(
        lost_track_buffer=int(BUFFER_SECONDS * 30),
        track_activation_threshold=STRONG_SCORE,
        high_conf_det_threshold=STRONG_SCORE,
        minimum_iou_threshold=LEAST_OVERLAP,
    )
    ids = np.full(len(detections), -1)
    for frame in range(FRAMES):
        rows = np.flatnonzero(detections[:, 0] == frame)
        found = tracker.update(
            supervision.Detections(
                xyxy=detections[rows, 1:5] * SIDE_PX,
                confidence=detections[rows, 5],
                class_id=np.zeros(len(rows), int),
                data={"row": rows},
            ),
            timestamp=frame / FPS,
        )
        if len(found):
            ids[found.data["row"]] = found.tracker_id
    return ids


def main() -> None:
    """Write the file that the command line names."""
    rng = np.random.default_rng(5)
    arrays = {}
    for index in range(SCENES):
        arrays[f"detections_{index}"] = scene(rng)
        arrays[f"tracks_{index}"] = tracks(arrays[f"detections_{index}"]).astype(np.int16)
    np.savez_compressed(Path(sys.argv[1]), **arrays)


if __name__ == "__main__":
    main()
