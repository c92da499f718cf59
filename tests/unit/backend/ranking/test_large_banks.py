# SPDX-License-Identifier: Apache-2.0
"""Ranking in a large bank by its codes, against a full sort of its cosines."""

import subprocess
import sys

import numpy as np
import pytest
from support.findings import default_findings

from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.decoder import Decoder, VideoState
from trireel_backend.findings.finding import Knowledge
from trireel_backend.ranking.codes import Codes
from trireel_backend.ranking.large_banks import CODED_FROM_BYTES, CodedTexts
from trireel_schema.ranking import rank
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration, unit

CALIBRATION = Calibration(scale=10.0, bias=-2.0)
COUNT, WIDTH = 5000, 96


def unit_rows(rng, count, width=WIDTH):
    return unit(rng.normal(size=(count, width)).astype(np.float32))


def named(rows):
    return TextSet(tuple(f"text {i}" for i in range(len(rows))), rows)


def coded(rows):
    plain = named(rows)
    return CodedTexts(plain.texts, plain.embeddings, Codes(plain.embeddings))


def sorted_out(rows, query, k):
    """Return the texts and cosines of a full sort in float64, rounded as the answer is."""
    cosines = (rows.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    order = np.argsort(-cosines, kind="stable")[:k]
    return tuple(f"text {i}" for i in order), cosines[order]


def random_bank(rng):
    return unit_rows(rng, COUNT)


def alike(rng):
    """All texts within a few hundredths of one another: more candidates than it pays to pick."""
    return unit(unit_rows(rng, 1) + 0.01 * unit_rows(rng, COUNT))


def spiky(rng):
    """One large number in each, beside which a code has no room for the others."""
    rows = 0.02 * unit_rows(rng, COUNT)
    rows[np.arange(COUNT), rng.integers(0, WIDTH, COUNT)] += 1
    return unit(rows)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("make_bank", [random_bank, alike, spiky])
@pytest.mark.parametrize("k", [1, 5, 300, COUNT, COUNT + 1])
def test_the_best_are_those_of_a_full_sort(rng, make_bank, k):
    rows = make_bank(rng)
    mean = unit_rows(rng, 8).mean(axis=0)  # as a video's: shorter than 1
    queries = np.stack([rows[7], unit_rows(rng, 1)[0], mean])
    for ranking, query in zip(rank(coded(rows), queries, k, CALIBRATION), queries, strict=True):
        texts, cosines = sorted_out(rows, query, k)
        np.testing.assert_allclose(ranking.scores, cosines, atol=1e-6)
        np.testing.assert_allclose(
            ranking.probabilities, CALIBRATION.probabilities(cosines), atol=1e-5
        )
        # Only where two cosines are equal but for rounding may they change places.
        by_text = dict(zip(texts, cosines, strict=True))
        for place, text in enumerate(ranking.texts):
            assert by_text.get(text, cosines[-1]) == pytest.approx(cosines[place], abs=1e-6)
        assert len(set(ranking.texts)) == len(texts)


def test_the_order_is_that_of_the_plain_bank(rng):
    rows, queries = unit_rows(rng, COUNT), unit_rows(rng, 20)
    plain, quick = (rank(bank, queries, 5, CALIBRATION) for bank in (named(rows), coded(rows)))
    assert [one.texts for one in quick] == [one.texts for one in plain]
    for one, other in zip(quick, plain, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_equal_texts_keep_the_order_of_the_bank(rng, k):
    rows = unit_rows(rng, COUNT)
    places = [3, 18, 1002, 1003, 4999]
    rows[places] = rows[3]
    (ranking,) = rank(coded(rows), rows[3:4], k, CALIBRATION)
    assert ranking.texts[:5] == tuple(f"text {i}" for i in places)[:k]


def test_only_few_texts_are_looked_at_closely(rng):
    bank = coded(unit_rows(rng, COUNT))
    ((indices, cosines),) = bank.cosines(unit_rows(rng, 1), 5)
    assert 5 <= len(indices) < COUNT / 20
    assert len(cosines) == len(indices)


@pytest.mark.parametrize("make_bank", [random_bank, alike, spiky])
def test_every_cosine_lies_within_its_bounds(rng, make_bank):
    rows = make_bank(rng)
    queries = np.concatenate([unit_rows(rng, 20), rows[:5], np.eye(3, WIDTH), np.zeros((1, WIDTH))])
    queries = queries.astype(np.float32)
    least, most = Codes(rows).bounds(queries)
    exact = queries.astype(np.float64) @ rows.T.astype(np.float64)
    assert (least <= exact).all()
    assert (exact <= most).all()
    assert (most - least).max() < 0.2


def test_products_do_not_saturate():
    """Every code at its limit: what a kernel that adds pairs in 16 bits would cut off."""
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (64, 1152)).astype(np.float32)
    signs[0] = 1
    rows = unit(signs)
    least, most = Codes(rows).bounds(rows)
    np.testing.assert_allclose((least + most) / 2, rows @ rows.T, atol=1e-5)


def test_codes_take_a_quarter_of_the_embeddings():
    """The session must keep them once: in its graph and packed, they would be there twice."""
    code = (
        "import gc, numpy, psutil; from trireel_backend.ranking.codes import Codes;"
        "rows = numpy.full((100_000, 512), 512 ** -0.5, numpy.float32);"
        "Codes(rows[:8]).bounds(rows[:1]);"
        "before = psutil.Process().memory_info().rss; codes = Codes(rows); gc.collect();"
        "print((psutil.Process().memory_info().rss - before) / rows.nbytes)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0.2 < float(done.stdout) < 0.35


def test_small_banks_do_without_codes(rng):
    small = named(unit_rows(rng, 20))
    assert CodedTexts.of(small) is small
    large = named(unit_rows(rng, CODED_FROM_BYTES // 4 // WIDTH + 1))
    assert isinstance(CodedTexts.of(large), CodedTexts)


def test_a_decoder_answers_the_same_with_codes_and_without(rng):
    tags, descriptions = unit_rows(rng, COUNT), unit_rows(rng, COUNT)
    decoders = [
        Decoder(Knowledge(TextBank(make(tags), make(descriptions)), CALIBRATION))
        for make in (named, coded)
    ]
    states = [VideoState(), VideoState()]
    for number in range(4):
        frames = unit(unit_rows(rng, 1) + 0.3 * unit_rows(rng, 16))
        chunk = ChunkFrames(frames, np.arange(16.0) + 10 * number, 10.0)
        answers = []
        for index, decoder in enumerate(decoders):
            states[index], answer = decoder.decode(states[index], chunk, default_findings(top_k=7))
            answers.append(answer)
        plain, quick = answers
        assert plain.keys() == quick.keys()
        for name, array in plain.items():
            if array.dtype == np.float32:
                np.testing.assert_allclose(quick[name], array, atol=2e-6, err_msg=name)
            else:
                np.testing.assert_array_equal(quick[name], array, err_msg=name)
