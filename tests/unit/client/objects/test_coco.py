# SPDX-License-Identifier: Apache-2.0
"""Detections as a data set in COCO's format."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from unit.client.detected import BALL, EMPTY_SECONDS
from unit.client.objects.made import scripted_analysis

from trireel_client import InvalidRequest, ServerPath, Unsupported, export_coco
from trireel_client._objects.coco import coco_data_set


def test_each_frame_looked_at_is_an_image() -> None:
    images = coco_data_set(scripted_analysis(), "walk.mp4")["images"]
    assert [image["id"] for image in images] == [1, 2, 3, 4]
    assert images[3] == {
        "id": 4,
        "file_name": "walk.mp4#t=25.000000",
        "width": 200,
        "height": 100,
        "timestamp_seconds": EMPTY_SECONDS,
    }


def test_boxes_are_pixels_of_the_picture() -> None:
    data = coco_data_set(scripted_analysis(), "walk.mp4")
    names = {category["id"]: category["name"] for category in data["categories"]}
    assert names == {1: "ball", 2: "person"}
    first, _, ball, _ = data["annotations"]
    assert first["bbox"] == [20.0, 20.0, 40.0, 60.0]
    assert first["area"] == 2400.0
    assert (first["image_id"], names[first["category_id"]]) == (1, "person")
    assert (ball["image_id"], names[ball["category_id"]]) == (2, "ball")
    assert (ball["score"], ball["track_id"], ball["iscrowd"]) == (0.5, BALL, 0)


def test_a_frame_of_two_chunks_is_one_image() -> None:
    analysis = scripted_analysis()
    assert analysis.objects is not None
    person = analysis.objects.detections[0]
    again = replace(person, chunk_index=1)
    objects = replace(
        analysis.objects, detections=(person, again), frame_timestamps_seconds=(5.0, 5.0, 15.0)
    )
    data = coco_data_set(replace(analysis, objects=objects), "walk.mp4")
    assert [image["timestamp_seconds"] for image in data["images"]] == [5.0, 15.0]
    assert [annotation["image_id"] for annotation in data["annotations"]] == [1]


@pytest.mark.parametrize("video", ["clips/walk.mp4", "s3://b/walk.mp4", ServerPath("a/walk.mp4")])
def test_images_are_called_by_the_videos_name(video: str | ServerPath, tmp_path: Path) -> None:
    export_coco(scripted_analysis(), tmp_path / "a.json", video=video)
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["images"][0]["file_name"] == "walk.mp4#t=5.000000"


def test_an_analysis_that_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="add 'objects' to find"):
        export_coco(replace(scripted_analysis(), objects=None), tmp_path / "a.json", video="a")
    with pytest.raises(Unsupported, match="does not report the size"):
        export_coco(
            replace(scripted_analysis(), picture_size_px=None), tmp_path / "a.json", video="a"
        )
    assert not (tmp_path / "a.json").exists()
