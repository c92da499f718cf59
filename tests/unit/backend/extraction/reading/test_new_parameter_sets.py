# SPDX-License-Identifier: Apache-2.0
"""Parameter sets that are told once, midway: right in any order, whatever was left out."""

import pytest
from support.extraction import look
from support.full_decode import assert_sampled_as_decoded, decode_fully
from support.odd_files import join_flv, write_clip


@pytest.mark.parametrize("sizes", [("160x96", "80x48"), ("64x48", "160x96", "96x64")])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_size_that_changes_midway_in_flv(tmp_path, codec, sizes):
    arguments = ("-c:v", codec, "-g", "20", "-bf", "2")
    parts = [
        write_clip(tmp_path / f"{index}.flv", 2, *arguments, size=size)
        for index, size in enumerate(sizes)
    ]
    path = join_flv(parts, tmp_path / "joined.flv")
    decoded = decode_fully(path)
    assert len(decoded.seconds) == 50 * len(sizes)
    assert look(path).duration_seconds == pytest.approx(2.0 * len(sizes), abs=0.1)
    assert_sampled_as_decoded(path, decoded)
