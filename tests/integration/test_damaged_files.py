# SPDX-License-Identifier: Apache-2.0
"""Damaged files through the running server: an answer or a clear error, and everything lives on.

TRIREEL_MUTANTS sets how many of each format; 25 by default.
"""

import os
import time

import numpy as np
import psutil
import pytest
from support.damage import FORMATS, mutate, whole_file

from trireel_client import InvalidRequest, NotFound, ServerPath

MUTANTS = int(os.environ.get("TRIREEL_MUTANTS", "25"))
MOST_SECONDS = 10.0
MOST_SECONDS_A_CHUNK = 0.1  # damage may make a file state that it goes on for hours


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_damaged_upload_gets_an_answer_or_a_clear_error(client, server, tmp_path, suffix):
    whole = whole_file(tmp_path, suffix)
    rng = np.random.default_rng(7)
    processes = psutil.Process(server.process_id).children(recursive=True)
    refusals = []
    for _ in range(MUTANTS):
        began, num_chunks = time.monotonic(), 0
        try:
            answer = client.analyze(mutate(whole, rng), chunk_seconds=1.0, frames_per_chunk=4)
            num_chunks = answer.num_chunks
        except (InvalidRequest, NotFound) as error:
            refusals.append(str(error))
        seconds = time.monotonic() - began
        assert seconds < MOST_SECONDS + MOST_SECONDS_A_CHUNK * num_chunks
    assert 0 < len(refusals) < MUTANTS  # some are beyond repair, some are not
    assert [text for text in refusals if len(text.splitlines()) != 1] == []
    assert all(process.is_running() for process in processes)
    assert client.analyze(ServerPath("sample.mp4")).tags[0].text == "gym"
