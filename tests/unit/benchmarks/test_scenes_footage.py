# SPDX-License-Identifier: Apache-2.0
"""Edits with known transitions: their frames, their truth, and the plans of drawn and real ones."""

import json
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.common.footage import drawn
from benchmarks.common.footage.clocks import even, swing, telephone
from benchmarks.common.footage.edit import Edit, Join, Shot
from benchmarks.common.footage.effects import caption, flash
from benchmarks.common.footage.filming import Filming, Look
from benchmarks.common.footage.joins import WIPES, dissolve, fade, wipe
from benchmarks.scenes.footage.writing import write_edit

SIZE_PX = (64, 48)


def grey(value):
    return np.full((SIZE_PX[1], SIZE_PX[0], 3), value, np.uint8)


def shot(value, seconds):
    return Shot(lambda t: grey(value), Fraction(seconds))


def edit(joins, clock, values=(20, 120, 220), seconds=2, **more):
    shots = tuple(shot(value, seconds) for value in values)
    return Edit("e", "g", shots, tuple(joins), clock, SIZE_PX, **more)


def decode(path):
    import av

    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24").mean())
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize(
    "clock",
    [even(Fraction(25)), even(Fraction(30_000, 1001)), telephone(1), swing(3)],
    ids=["25", "29.97", "telephone", "swing"],
)
def test_the_truth_of_a_cut_is_its_first_new_frame(tmp_path, clock):
    truth = json.loads(write_edit(edit([Join(), Join()], clock), tmp_path).read_text())
    frames = decode(tmp_path / truth["video"])
    changes = [
        at for (at, now), (_, before) in zip(frames[1:], frames, strict=False) if now > before + 50
    ]
    assert truth["cuts"] == changes
    assert len(truth["pts_seconds"]) == truth["frames"] == len(frames)


def test_a_dissolve_lasts_from_the_first_mixed_frame(tmp_path):
    joins = [Join("dissolve", Fraction(3, 5)), Join()]
    truth = json.loads(write_edit(edit(joins, even(Fraction(25))), tmp_path).read_text())
    (found,) = truth["transitions"]
    mixed = [at for at, light in decode(tmp_path / truth["video"]) if 23 < light < 117]
    assert found["kind"] == "dissolve"
    assert found["begin_seconds"] == pytest.approx(mixed[0], abs=0.041)
    assert found["end_seconds"] == pytest.approx(mixed[-1] + 0.04, abs=0.041)
    assert found["end_seconds"] - found["begin_seconds"] == pytest.approx(0.6, abs=0.05)


def test_joins_that_touch_are_rejected():
    with pytest.raises(ValueError, match="too short"):
        edit([Join("fade", Fraction(2)), Join("fade", Fraction(2))], even(Fraction(25)))


def test_a_fade_passes_through_its_colour():
    assert fade(grey(50), grey(90), 0.5, "black").max() == 0
    assert fade(grey(50), grey(90), 0.5, "white").min() == 255
    assert dissolve(grey(50), grey(90), 0.5).mean() == 70


@pytest.mark.parametrize("style", WIPES)
def test_a_wipe_replaces_the_picture_bit_by_bit(style):
    shares = [(wipe(grey(0), grey(200), share, style) > 100).mean() for share in (0, 0.3, 0.7, 1)]
    assert shares[0] == 0
    assert 0.05 < shares[1] < shares[2] < 0.98
    assert shares[3] == pytest.approx(1, abs=0.02)


def test_effects_act_at_their_time_only():
    bright = flash(1.0, 0.1, 0.8)
    assert bright(grey(50), 0.9).mean() == bright(grey(50), 1.2).mean() == 50
    assert bright(grey(50), 1.0).mean() > 200 > bright(grey(50), 1.09).mean() > 60
    text = caption("Hi", 1.0, 2.0, (0.1, 0.1))
    assert (text(grey(50), 1.5) != 50).any()
    assert (text(grey(50), 2.5) == 50).all()


def test_a_take_turns_round_at_its_ends():
    frames = tuple(grey(10 * index) for index in range(5))
    film = Filming(frames, 25.0, Look(zoom=1.0, end_zoom=1.0), SIZE_PX)
    lights = [int(film.picture(index / 25).mean()) for index in range(-2, 10)]
    assert lights == [20, 10, 0, 10, 20, 30, 40, 30, 20, 10, 0, 10]


def test_plans_are_the_same_each_time_and_differ_by_part():
    first, again, other = (next(drawn.drawn_edits(part)) for part in ("tune", "tune", "test"))
    assert (first.joins, first.seconds) == (again.joins, again.seconds)
    assert first.seconds != other.seconds


def test_drawn_edits_are_many_and_of_every_kind():
    edits = list(drawn.drawn_edits("test"))
    kinds = {join.kind for edit in edits for join in edit.joins}
    assert len(edits) >= 60
    assert kinds == {"cut", "dissolve", "fade", "wipe"}
    assert sum(edit.seconds for edit in drawn.quiet_edits("test")) >= 600
