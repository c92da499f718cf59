# SPDX-License-Identifier: Apache-2.0
"""The known windows: the same on every machine, and a difference is named."""

import hashlib

import numpy as np
import pytest

from trireel_backend.shots.files import SOURCE
from trireel_schema.errors import FileDamaged, TowerDiffers
from trireel_schema.windows import (
    MOST_DIFFERENCE_FP32,
    NAMES,
    check_windows,
    read_known_windows,
    write_known_windows,
)

FILE = SOURCE / "known_windows.npz"


@pytest.fixture(scope="module")
def known():
    return read_known_windows(FILE)


def test_the_windows_are_the_same_on_every_machine(known):
    assert known.frames.shape == (len(NAMES), 100, 27, 48, 3)
    digest = hashlib.sha256(known.frames.tobytes()).hexdigest()
    assert digest.startswith("3296019a50fc5cda")


def test_transnet_finds_the_cuts_that_were_made(known):
    cuts = {
        name: np.flatnonzero(row > 0.5).tolist()
        for name, row in zip(NAMES, known.single, strict=True)
    }
    assert cuts["cuts between photographs"] == [29, 54]
    assert abs(cuts["cuts between drawings"][0] - 48) <= 1
    assert all(40 <= frame <= 60 for frame in cuts["a dissolve of photographs"])
    assert cuts["noise"] == []


def test_its_own_probabilities_pass(known):
    assert check_windows(known, known.single, known.many) == 0


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("value", [0.6, np.nan])
def test_another_probability_is_named(known, output, value):
    answers = [known.single.copy(), known.many.copy()]
    answers[output][2, 7] = value
    name = ("SINGLE", "MANY")[output]
    expected = rf"in 'a dissolve of photographs' frame 7 has {name} {value:.6f} instead of"
    with pytest.raises(TowerDiffers, match=expected):
        check_windows(known, *answers)


def test_a_small_difference_is_one_in_fp32_only(known):
    single = known.single + np.float32(0.01)
    assert check_windows(known, single, known.many) == pytest.approx(0.01, abs=1e-6)
    with pytest.raises(TowerDiffers, match=r"at most 0\.0001 apart"):
        check_windows(known, single, known.many, MOST_DIFFERENCE_FP32)


def test_an_answer_of_another_shape_is_refused(known):
    with pytest.raises(TowerDiffers, match=r"MANY is \[5, 99\], it must be \[5, 100\]"):
        check_windows(known, known.single, known.many[:, 1:])


def test_a_file_with_other_pictures_is_refused(tmp_path, known):
    pictures = np.zeros((4, 36, 60, 3), np.uint8)
    write_known_windows(pictures, known.single, known.many, tmp_path / "known.npz")
    with pytest.raises(FileDamaged, match="array 'pictures'"):
        read_known_windows(tmp_path / "known.npz")
