# SPDX-License-Identifier: Apache-2.0
"""What a tower of reduced precision must keep, on embeddings that lost one thing each."""

import numpy as np
import pytest
from support.known import COUNT, WIDTH, known_pictures, known_texts, turned

from trireel_schema.errors import TowerDiffers
from trireel_schema.gate import LEAST_COSINE, MOST_APART, TIE, check_alike, check_gate
from trireel_schema.texts import TextSet
from trireel_schema.vectors import unit


@pytest.fixture
def known():
    return known_pictures()


@pytest.fixture
def texts():
    return known_texts()


def test_the_checkpoints_own_embeddings_pass(known, texts):
    report = check_gate(known, known.embeddings, [texts])
    assert report.pictures == COUNT
    assert report.worst_cosine == pytest.approx(1)
    assert report.widest_swap == 0


def test_a_turned_embedding_fails_and_is_named(known, texts):
    embeddings = turned(known, 7)
    cosine = float(embeddings[7] @ known.embeddings[7])
    assert cosine < LEAST_COSINE
    with pytest.raises(TowerDiffers, match=rf"'picture 7' has cosine {cosine:.6f} to"):
        check_gate(known, embeddings, [texts])


@pytest.mark.parametrize("broken", [np.nan, 0.0])
def test_embeddings_without_a_direction_fail(known, texts, broken):
    embeddings = known.embeddings.copy()
    embeddings[3] = broken
    with pytest.raises(TowerDiffers, match="'picture 3' has cosine"):
        check_gate(known, embeddings, [texts])


def test_embeddings_of_another_shape_fail(known, texts):
    with pytest.raises(TowerDiffers, match=r"answered \[11, 16\] for 12 known pictures"):
        check_gate(known, known.embeddings[1:], [texts])


def two_texts(known, apart):
    """Two texts whose cosines to the first picture differ by `apart`, the first one nearer."""
    picture = known.embeddings[0]
    aside = unit(np.cross(picture[:3], [0, 0, 1])[None])[0]  # at right angles in three dimensions
    aside = np.concatenate([aside, np.zeros(WIDTH - 3)])
    aside -= (aside @ picture) * picture
    aside /= np.linalg.norm(aside)
    near, far = np.arccos([0.5 + apart, 0.5])
    rows = [
        np.cos(near) * picture + np.sin(near) * aside,
        np.cos(far) * picture - np.sin(far) * aside,
    ]
    return TextSet(("near", "far"), np.stack(rows).astype(np.float32)), aside


@pytest.mark.parametrize(("share", "fails"), [(0.5, False), (2.0, True)])
def test_texts_may_change_places_only_when_they_are_close(known, share, fails):
    spread = float((known.embeddings @ two_texts(known, 1e-3)[0].embeddings.T).std())
    texts, aside = two_texts(known, share * TIE * spread)
    # Turned a little, by less than the cosine forgives, towards the text that was behind.
    turned = known.embeddings.copy()
    turned[0] = unit((turned[0] - 0.03 * aside)[None])[0]
    assert turned[0] @ known.embeddings[0] > LEAST_COSINE
    if fails:
        with pytest.raises(TowerDiffers, match="the text 'far' comes out before 'near'"):
            check_gate(known, turned, [texts])
    else:
        assert 0 < check_gate(known, turned, [texts]).widest_swap <= TIE


def test_embeddings_that_depend_on_their_batch_fail(known):
    near, far = known.embeddings.copy(), known.embeddings.copy()
    near[1, 5] += 0.9 * MOST_APART
    far[1, 5] += 1.1 * MOST_APART
    check_alike(known, near)
    with pytest.raises(TowerDiffers, match=r"'picture 1' differs by 1\.1e-05 between batches"):
        check_alike(known, far)
    far[1, 5] = np.nan
    with pytest.raises(TowerDiffers, match="'picture 1' differs by nan"):
        check_alike(known, far)
