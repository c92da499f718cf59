# SPDX-License-Identifier: Apache-2.0
"""Interlaced H.264 whose fields come in a packet each: one frame, no damage."""

import av
import pytest
from support.full_decode import assert_sampled_as_decoded, decode_fully
from support.odd_files import ffmpeg, write_fields


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_two_fields_are_one_frame(tmp_path, suffix):
    path = write_fields(tmp_path / "fields.ts", 75)
    if suffix != "ts":
        path = tmp_path / f"fields.{suffix}"
        ffmpeg("-i", tmp_path / "fields.ts", "-c", "copy", path)
    decoded = decode_fully(path)
    with av.open(str(path)) as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    assert (len(decoded.seconds), packets) == (75, 150)
    assert_sampled_as_decoded(path, decoded)
