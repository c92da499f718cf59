# SPDX-License-Identifier: Apache-2.0
"""What is kept of a video between its requests."""

import numpy as np
import pytest

from tests.support.findings import no_model
from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.findings.decoder import Decoder
from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.open_videos import SequenceSettings, snapshots_of
from trireel_backend.findings.snapshot import Checkpoint
from trireel_backend.metrics.family import Tally
from trireel_backend.models.temporal_decoder import CHUNKS, SequenceDecoder
from trireel_backend.wire.request import Request
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

WIDTH = 8


@pytest.fixture
def tally():
    return Tally()


@pytest.fixture
def decoder(bank_files, tally):
    metadata = load_metadata(bank_files[METADATA_FILE])
    bank = load_text_bank(bank_files[TEXT_BANK_FILE], metadata)
    of_bank = Decoder(Knowledge(bank, metadata.calibration))
    snapshots = snapshots_of(Checkpoint.of(metadata, bank))
    settings = SequenceSettings(max_sequences=9)
    return SequenceDecoder(of_bank, snapshots, tally, no_model, idle_seconds=60, settings=settings)


def chunk(axes, *, start=False, end=False):
    arrays = {
        "EMBEDDINGS": np.eye(WIDTH, dtype=np.float32)[axes],
        "TIMESTAMPS": np.arange(len(axes), dtype=np.float64),
    }
    return arrays, Request(array=arrays.get, correlation_id="v", starts=start, ends=end)


def test_what_is_kept_outlives_the_requests_memory(decoder, tally):
    """Triton's arrays lie in memory that is another request's soon."""
    arrays, request = chunk([0, 0, 5], start=True)
    decoder.answer(request)
    for array in arrays.values():
        array.fill(np.nan)
    _, again = chunk([5, 5, 5], end=True)
    answer = decoder.answer(again)
    np.testing.assert_allclose(answer["SCENE_TRACE"], 0, atol=1e-6)
    assert answer["TAG_TEXTS"][0] == b"tag 5"
    assert np.isfinite(answer["TAG_SCORES"]).all()
    assert tally.numbers[CHUNKS.name, ""] == 1  # the same times: the chunk that ends a video
