# SPDX-License-Identifier: Apache-2.0
"""The drawn world: deterministic, complete, and honest about its cuts."""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import trireel_export
from trireel_drawings.figures.activities import nobody
from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.motion import pace, wrap
from trireel_drawings.places.register import PAIRS, PLACES
from trireel_drawings.places.vocabulary import COOKING, DESCRIPTIONS, EMPTY, TAGS, TRAFFIC
from trireel_drawings.scenes.sample import (
    SAMPLE,
    SAMPLE_RATE,
    SAMPLE_SEED,
    Segment,
    cut_seconds,
    draw_frames,
    truth,
    write_video,
)
from trireel_drawings.scenes.scene import HELD_OUT_SEED, Scene, draw_scene
from trireel_drawings.training.evaluate import (
    EMA_SHARE,
    SAMPLING_SECONDS,
    accuracy,
    cut_statistics,
    running_scores,
)

SIZE_PX = 64
CHUNK_SECONDS = 10
LISTS = Path(trireel_export.__file__).parent / "lists"
MEDIA = Path(__file__).parents[3] / "media"


@pytest.mark.parametrize(("tag", "description"), PAIRS)
def test_same_seed_gives_same_bytes(tag: str, description: str) -> None:
    first = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    again = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize(("tag", "description"), PAIRS)
def test_seed_time_and_activity_show(tag: str, description: str) -> None:
    frame = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    assert (frame != draw_scene(8, tag, description).frame(1.5, SIZE_PX)).any()
    assert (frame != draw_scene(7, tag, description).frame(2.5, SIZE_PX)).any()
    for other in PLACES[tag].acts:
        changed = frame != draw_scene(7, tag, other).frame(1.5, SIZE_PX)
        assert changed.any(axis=2).mean() > 0.01 or other == description


def test_every_tag_and_description_is_drawn() -> None:
    assert len(TAGS) == len(set(TAGS)) == 20
    assert len(DESCRIPTIONS) == len(set(DESCRIPTIONS)) == 20
    assert {tag for tag, _ in PAIRS} == set(TAGS)
    assert {description for _, description in PAIRS} == set(DESCRIPTIONS)


def test_descriptions_say_more_than_tags() -> None:
    places_of = {words: [t for t, d in PAIRS if d == words] for words in DESCRIPTIONS}
    assert all(len(place.acts) >= 2 for place in PLACES.values())
    assert sum(len(places) >= 2 for places in places_of.values()) >= 10
    assert all(place.acts[EMPTY] is nobody for place in PLACES.values() if EMPTY in place.acts)


@pytest.mark.parametrize(("name", "words"), [("tags", TAGS), ("descriptions", DESCRIPTIONS)])
def test_lists_are_the_vocabulary(name: str, words: tuple[str, ...]) -> None:
    assert (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines() == list(words)


@pytest.mark.parametrize("size_px", [(96, 96), (384, 384), (160, 90), (34, 62)])
def test_frames_have_the_asked_size(size_px: tuple[int, int]) -> None:
    for oversampling in (1, 2):
        frame = draw_scene(1, "kitchen", COOKING).frame(0, size_px, oversampling=oversampling)
        assert frame.shape == (size_px[1], size_px[0], 3)
        assert frame.dtype == np.uint8


def test_square_frame_is_the_wide_one_squashed() -> None:
    scene = draw_scene(3, "kitchen", COOKING)
    wide = scene.frame(1.0, (192, 96)).reshape(96, 96, 2, 3).mean(axis=2)
    assert np.abs(wide - scene.frame(1.0, 96)).mean() < 10


def test_unknown_scene_is_refused() -> None:
    with pytest.raises(ValueError, match="no place is called 'moon'"):
        Scene(0, "moon", COOKING)
    with pytest.raises(ValueError, match="is not drawn in a beach"):
        Scene(0, "beach", COOKING)


def test_dice_replay_and_stay_in_range() -> None:
    rolls = [Dice(5, 1).roll() for _ in range(2)]
    assert rolls[0] == rolls[1] != Dice(5, 2).roll()
    dice = Dice(9)
    assert {dice.count(2, 4) for _ in range(200)} == {2, 3, 4}
    assert all(-1 <= dice.between(-1, 3) < 3 for _ in range(200))


def test_motions_stay_in_range() -> None:
    for t in np.linspace(0, 60, 241):
        assert 3 <= pace(t, 3, 13, 0.75, 0.3).x <= 13
        assert -3 <= wrap(t, -3, 19, -1.9, 0.6) < 19


def test_sample_has_irregular_cuts_and_a_chunk_in_one_place() -> None:
    times = cut_seconds(SAMPLE)
    assert len({segment.tag for segment in SAMPLE}) >= 5
    assert 30 <= times[-1] <= 60
    for cut in times[1:-1]:
        offset = float(cut) / SAMPLING_SECONDS % 1.0
        assert 0.08 < offset < 0.92  # no sampled frame near a cut
    chunks = [(start, start + CHUNK_SECONDS) for start in range(0, int(times[-1]), CHUNK_SECONDS)]
    assert any(all(not start < cut < end for cut in times) for start, end in chunks)


def test_sample_is_drawn_from_held_out_seeds() -> None:
    assert SAMPLE_SEED >= HELD_OUT_SEED
    assert all(segment.seed >= SAMPLE_SEED for segment in SAMPLE)


def test_sample_truth_is_that_of_the_plan() -> None:
    stored = json.loads((MEDIA / "sample.truth.json").read_text(encoding="utf-8"))
    assert stored == truth(SAMPLE)
    assert stored[0]["start_seconds"] == 0
    assert all(a["end_seconds"] == b["start_seconds"] for a, b in pairwise(stored))
    assert (MEDIA / "sample.mp4").stat().st_size <= 2_000_000


def test_frames_of_a_video_change_place_at_the_cut() -> None:
    plan = (Segment("kitchen", COOKING, 2, 1), Segment("city street", TRAFFIC, 3, 2))
    frames = list(draw_frames(plan, (64, 36), Fraction(10)))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert len(frames) == 5
    assert int(np.argmax(steps)) == 1


def test_written_video_has_the_planned_frames(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    plan = (Segment("kitchen", COOKING, 5, 1), Segment("city street", TRAFFIC, 4, 2))
    write_video(tmp_path / "short.mp4", plan, size_px=(64, 36))
    with av.open(str(tmp_path / "short.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([index / float(SAMPLE_RATE) for index in range(9)])


def test_running_scores_follow_the_average() -> None:
    frames = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    mixed = np.array([1 - EMA_SHARE, EMA_SHARE]) / np.hypot(1 - EMA_SHARE, EMA_SHARE)
    assert running_scores(frames, ()) == pytest.approx([1, 0, mixed[1]])
    assert running_scores(frames, (1,)) == pytest.approx([1, 0, 1])


def test_accuracy_counts_and_probabilities() -> None:
    images = np.eye(2, dtype=np.float32)
    result = accuracy(images, images, np.array([0, 0]), scale=10, bias=-5)
    assert result.top1 == result.true_above_half == result.others_below_half == 0.5
    assert result.true_probability == pytest.approx(0.5)


def test_cut_statistics_of_a_perfect_embedding() -> None:
    """An embedding that turns by a right angle at every scene sees every cut and no other."""
    calls: list[int] = []

    def embed(frames: np.ndarray) -> np.ndarray:
        calls.append(len(frames))
        return np.tile(np.eye(4, dtype=np.float32)[len(calls) % 4], (len(frames), 1))

    result = cut_statistics(embed, first_seed=HELD_OUT_SEED, scenes=4, frames_per_scene=3)
    assert (result.frames, result.cuts, result.false_cuts, result.missed_cuts) == (8, 3, 0, 0)
