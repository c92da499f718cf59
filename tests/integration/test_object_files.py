# SPDX-License-Identifier: Apache-2.0
"""Objects by the client and the command: records, a drawn video, COCO's format, on real answers.

The detector finds colours; the video is turned by its header, and its frame rate is variable.
"""

import json
from dataclasses import replace
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest
from support.oracle import ffmpeg
from support.videos import write_video
from typer.testing import CliRunner

from trireel_client import ServerPath, draw_objects
from trireel_client._command.cli import app

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/answer.schema.json").read_text())
WIDTH_PX, HEIGHT_PX = 160, 120  # of the upright picture
SIDE_PX = 30
TOLERANCE_PX = 4  # the detector's frames are 128 x 96, the video's colours are halved
# 12 s: half of it in 40 ms, half in 200 ms.
PTS_MS = [*range(0, 6000, 40), *range(6000, 12000, 200)]
OPTIONS = {"find": ["objects"], "objects_fps": 4.0}


def square(seconds):
    """Return left and top of the red square, in pixels of the upright picture."""
    return round(10 * seconds), 60


def upright(seconds):
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 100, np.uint8)
    left, top = square(seconds)
    pixels[top : top + SIDE_PX, left : left + SIDE_PX] = (230, 10, 10)
    return pixels


@pytest.fixture(scope="module")
def walk(media, tmp_path_factory):
    """The video, which is stored lying on its side."""
    stored = [np.rot90(upright(pts / 1000), -1) for pts in PTS_MS]
    plain = tmp_path_factory.mktemp("walk") / "plain.mp4"
    write_video(plain, [np.ascontiguousarray(frame) for frame in stored], PTS_MS)
    ffmpeg("-display_rotation", "90", "-i", plain, "-c", "copy", media / "walk.mp4")
    return media / "walk.mp4"


@pytest.fixture(scope="module")
def drawn(walk, server, tmp_path_factory):
    """What the command writes: its JSON, the drawn video and the data set."""
    folder = tmp_path_factory.mktemp("drawn")
    files = ["--draw", str(folder / "a.mp4"), "--coco", str(folder / "a.json")]
    options = ["--find", "objects", "--objects-fps", "4", "--url", server.grpc_url]
    result = CliRunner().invoke(app, ["analyze", str(walk), *options, *files, "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout), folder / "a.mp4", folder / "a.json"


def test_both_protocols_bring_the_same_objects(either_client, client, walk):
    name = ServerPath(walk.name)
    objects = either_client.analyze(name, **OPTIONS).objects
    assert objects == client.analyze(name, **OPTIONS).objects
    (track,) = objects.tracks
    assert track.label == "red"
    assert {detection.track_id for detection in objects.detections} == {track.track_id}
    assert objects.labels_on_screen[0].intervals[0].start_seconds == track.start_seconds


@pytest.mark.parametrize("mode", ["chunked", "combined"])
def test_chunks_one_by_one_bring_the_objects_of_the_whole(client, walk, mode):
    options = {**OPTIONS, "objects_mode": mode}
    whole = client.analyze(ServerPath(walk.name), **options)
    *streamed, last = client.stream(ServerPath(walk.name), **options)
    assert last.objects == whole.objects
    for chunks in (streamed, list(client.step(ServerPath(walk.name), **options))):
        found = [detection for chunk in chunks for detection in chunk.objects.detections]
        assert tuple(found) == whole.objects.detections
        assert chunks[-1].objects.tracks == whole.objects.tracks
        assert chunks[-1].objects.labels_on_screen == whole.objects.labels_on_screen


def test_the_json_fits_the_schema(drawn):
    answer, _, _ = drawn
    jsonschema.validate(answer, SCHEMA)
    assert answer["objects"]["mode"] == "combined"
    assert answer["picture_size_px"] == [WIDTH_PX, HEIGHT_PX]


def test_boxes_of_the_data_set_are_around_the_square(drawn):
    data = json.loads(drawn[2].read_text())
    times = {image["id"]: image["timestamp_seconds"] for image in data["images"]}
    assert len(data["annotations"]) == len(times) > 40
    for annotation in data["annotations"]:
        expected = (*square(times[annotation["image_id"]]), SIDE_PX, SIDE_PX)
        np.testing.assert_allclose(annotation["bbox"], expected, atol=TOLERANCE_PX)


def test_every_frame_of_the_video_is_drawn_at_its_time(drawn):
    with av.open(str(drawn[1])) as container:
        stream = container.streams.video[0]
        times_ms = [
            round(frame.pts * stream.time_base * 1000) for frame in container.decode(stream)
        ]
    assert times_ms == PTS_MS


def test_a_box_is_drawn_around_the_square(drawn, client, walk, tmp_path):
    """The drawn picture differs from one without objects at the box, and nowhere below it."""
    analysis = client.analyze(ServerPath(walk.name), **OPTIONS)
    objects = replace(analysis.objects, detections=())
    draw_objects(replace(analysis, objects=objects), walk, tmp_path / "bare.mp4")
    looked_at = set(drawn[0]["objects"]["frame_timestamps_seconds"])
    checked = 0
    pairs = zip(pictures(drawn[1]), pictures(tmp_path / "bare.mp4"), strict=True)
    for (seconds, boxed), (_, bare) in pairs:
        if seconds not in looked_at:
            continue
        changed = np.abs(boxed.astype(int) - bare).max(axis=2) > 60
        left, top = square(seconds)
        rows, columns = np.nonzero(changed[top + 5 :])  # without the label
        assert abs(columns.min() - left) <= TOLERANCE_PX
        assert abs(columns.max() - min(WIDTH_PX - 1, left + SIDE_PX)) <= TOLERANCE_PX
        assert abs(rows.max() + 5 - SIDE_PX) <= TOLERANCE_PX
        checked += 1
    assert checked == len(looked_at)


def pictures(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            yield float(frame.pts * stream.time_base), frame.to_ndarray(format="rgb24")
