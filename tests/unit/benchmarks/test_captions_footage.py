# SPDX-License-Identifier: Apache-2.0
"""Videos with burnt-in captions: their frames, their truth, and the plans of their captions."""

import json
import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import matplotlib as mpl
import numpy as np
import pytest

from benchmarks.captions.footage import fonts
from benchmarks.captions.footage.captioned import Captioned, Clock, Shown
from benchmarks.captions.footage.lettering import Lettering, Style
from benchmarks.captions.footage.plan import KINDS, captioned, random_captions
from benchmarks.captions.footage.sentences import sentences, with_one_letter_changed
from benchmarks.captions.footage.writing import region, write_captioned
from benchmarks.captions.score import edit_distance, read_truth
from benchmarks.common.footage.clocks import even, telephone
from benchmarks.common.footage.edit import Edit, Shot

SIZE_PX = (320, 180)
FACES = tuple(
    Path(mpl.get_data_path()) / f"fonts/ttf/{name}.ttf" for name in ("DejaVuSans", "DejaVuSerif")
)
STYLE = Style(FACES[0], 20, outline_px=2)
GREY = 60


def footage(clock=None, seconds=2):
    grey = np.full((SIZE_PX[1], SIZE_PX[0], 3), GREY, np.uint8)
    clock = clock or even(Fraction(25))
    return Edit("e", "g", (Shot(lambda t: grey, Fraction(seconds)),), (), clock, SIZE_PX)


def video(*spans, fade_seconds=0.0, pts_clock=None, **more):
    edit = footage(pts_clock)
    captions = tuple(
        Shown(Lettering(text, STYLE, (0.5, 0.9), SIZE_PX), first, last, fade_seconds)
        for text, first, last in spans
    )
    return Captioned(edit, tuple(map(float, edit.times(edit.seconds))), captions, **more)


def written(found, tmp_path):
    truth = json.loads(write_captioned(found, tmp_path).read_text())
    with av.open(str(tmp_path / truth["video"])) as container:
        frames = [
            (frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return truth, frames


def brightness(picture, box):
    x1, y1, x2, y2 = (
        round(part * size) for part, size in zip(box, (*SIZE_PX, *SIZE_PX), strict=True)
    )
    return float(picture[y1:y2, x1:x2].max())


@pytest.mark.parametrize("clock", [even(Fraction(30)), telephone(3)], ids=["even", "vfr"])
def test_the_truth_names_the_first_and_the_last_frame(tmp_path, clock):
    truth, frames = written(video(("Hello", 5, 12), ("World", 14, 20), pts_clock=clock), tmp_path)
    for caption in truth["captions"]:
        seen = [at for at, picture in frames if brightness(picture, caption["box"]) > 200]
        times = [at for at, _ in frames]
        inner = [at for at in times if caption["first_seconds"] <= at <= caption["last_seconds"]]
        assert set(inner) <= set(seen)
    first, second = truth["captions"]
    indices = [truth["pts_seconds"].index(first[key]) for key in ("first_seconds", "last_seconds")]
    assert indices == [5, 12]
    assert truth["pts_seconds"].index(second["first_seconds"]) == 14
    assert first["end_seconds"] == truth["pts_seconds"][13]
    assert read_truth(truth).captions[0].text == "Hello"


def test_a_fade_grows_and_falls_within_its_time(tmp_path):
    truth, frames = written(video(("Hello", 5, 30), fade_seconds=0.2), tmp_path)
    (caption,) = truth["captions"]
    levels = [brightness(picture, caption["box"]) for _, picture in frames]
    assert levels[5] > GREY + 20
    assert max(levels[:5]) < GREY + 12
    assert all(after > before for before, after in pairwise(levels[5:9]))
    pts = truth["pts_seconds"]
    full = [pts.index(caption[f"{end}_full_seconds"]) for end in ("first", "last")]
    assert full == [9, 26]  # 0.2 s are five frames, and the fifth is at full opacity


def test_the_box_is_that_of_the_ink():
    """Outlines belong to the ink."""
    lettering = Lettering("Hg", STYLE, (0.5, 0.8), SIZE_PX)
    grey = np.full((SIZE_PX[1], SIZE_PX[0], 3), 128, np.uint8)
    rows, columns = np.nonzero((lettering.over(grey) != grey).any(axis=2))
    found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.abs(np.array(found) - lettering.box).max() <= 2


def test_letters_at_half_opacity_are_half_as_bright():
    black = np.zeros((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    lettering = Lettering("Hg", STYLE, (0.5, 0.8), SIZE_PX)
    full, half = lettering.over(black), lettering.over(black, 0.5)
    assert np.abs(full / 2 - half).max() <= 0.5
    assert not black.any()


def test_the_region_holds_every_caption():
    found = video(("Hello", 5, 12), ("Two\nlines", 14, 20))
    x1, y1, x2, y2 = region(found)
    assert (x1, x2) == (0, 1)
    for shown in found.captions:
        assert y1 * SIZE_PX[1] <= shown.lettering.box[1] <= shown.lettering.box[3]
        assert shown.lettering.box[3] <= y2 * SIZE_PX[1]


def test_a_logo_and_a_clock_are_no_captions(tmp_path):
    logo = Lettering("TV", STYLE, (0.8, 0.2), SIZE_PX)
    clock = Clock(STYLE, (0.3, 0.2), 3599, SIZE_PX)
    truth, frames = written(video(("Hello", 5, 12), logo=logo, clock=clock), tmp_path)
    assert read_truth(truth).others == (("logo", "TV"), ("clock", "00:59:59"))
    assert clock.lettering(1.5).text == "01:00:00"
    before, after = frames[2][1], frames[40][1]
    assert np.abs(before[:60].astype(int) - after[:60]).max() > 100
    box = [part / size for part, size in zip(logo.box, (*SIZE_PX, *SIZE_PX), strict=True)]
    assert brightness(before, box) > 200


@pytest.mark.parametrize("group", KINDS)
def test_captions_follow_each_other_and_fit(group):
    kind, pts = KINDS[group], [index / 30 for index in range(600)]
    size_px = kind.sizes[0]
    shown = list(random_captions(random.Random(4), "tune", kind, size_px, FACES, pts))
    assert len(shown) >= 3
    gaps = {after.first - before.last for before, after in pairwise(shown)}
    assert min(gaps) >= 1
    assert (gaps == {2}) == (group == "pauses")
    for caption in shown:
        left, top, right, bottom = caption.lettering.box
        assert 0 <= left < right <= size_px[0]
        assert 0 <= top < bottom <= size_px[1]
        assert caption.last < len(pts)
        assert caption.lettering.style.size_px >= 16
    neighbours = [
        edit_distance(before.lettering.text, after.lettering.text)
        for before, after in pairwise(shown)
    ]
    assert min(neighbours) >= 1
    assert (1 in neighbours) == kind.letters


def test_the_same_plan_is_made_again_and_the_parts_differ(tmp_path):
    plans = [
        captioned("drawn", part, "fades", 0, FACES, tmp_path) for part in ("tune", "tune", "test")
    ]
    first, again, other = ([shown.lettering.text for shown in plan.captions] for plan in plans)
    assert first == again
    assert not set(first) & set(other)
    assert not set(sentences("tune")) & set(sentences("test"))
    assert not set(fonts.FACES["tune"]) & set(fonts.FACES["test"])


def test_one_letter_changes_within_a_word():
    dice = random.Random(1)
    for text in (*sentences("tune"), *sentences("test")):
        changed = with_one_letter_changed(dice, text)
        assert (edit_distance(text, changed), len(changed)) == (1, len(text))


def test_without_debians_fonts_others_stand_in(tmp_path):
    found = {part: fonts.faces(tmp_path, part) for part in ("tune", "test")}
    assert all(path.is_file() and "DejaVu" in path.name for part in found.values() for path in part)
    assert not set(found["tune"]) & set(found["test"])
