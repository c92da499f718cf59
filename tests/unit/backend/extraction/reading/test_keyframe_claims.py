# SPDX-License-Identifier: Apache-2.0
"""Keyframes are what the decoder says, whatever the container calls one."""

import av
import pytest
from support.full_decode import assert_sampled_as_decoded, decode_fully
from support.odd_files import hide_sync_samples, write_clip


@pytest.mark.parametrize(
    ("codec", "suffix", "size"),
    [
        ("mpeg4", "mp4", "96x64"),
        ("mpeg4", "mov", "96x64"),
        ("libx264", "mp4", "96x64"),
        ("libx264", "mov", "96x64"),
        ("libx265", "mp4", "96x64"),
        ("libvpx-vp9", "mp4", "96x64"),
        ("h263", "3gp", "176x144"),
    ],
)
def test_every_sample_is_called_a_keyframe(tmp_path, codec, suffix, size):
    b_frames = () if codec in ("libvpx-vp9", "h263") else ("-bf", "2")
    path = tmp_path / f"claims.{suffix}"
    write_clip(path, 3, "-c:v", codec, "-g", "20", *b_frames, size=size)
    decoded = decode_fully(path)
    assert 2 <= len(decoded.keyframe_seconds) < 10
    hide_sync_samples(path)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    if codec not in ("libvpx-vp9", "libx264"):  # there FFmpeg looks into the packets itself
        assert all(packet.is_keyframe for packet in packets)
    assert_sampled_as_decoded(path, decoded)


@pytest.mark.parametrize("suffix", ["webm", "mkv", "ivf"])
def test_frames_that_are_only_referred_to_are_no_damage(tmp_path, suffix):
    path = tmp_path / f"hidden.{suffix}"
    hidden = ("-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "40", "-b:v", "200k")
    for number in (1, 2):
        passes = ("-pass", number, "-passlogfile", tmp_path / "log")
        write_clip(path, 3, "-c:v", "libvpx", *hidden, *passes)
    decoded = decode_fully(path)
    with av.open(str(path)) as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    assert packets > len(decoded.seconds) == 75
    assert_sampled_as_decoded(path, decoded)


def test_a_high_dynamic_range_tag_of_its_own_is_read(tmp_path):
    """Dolby Vision's names for HEVC samples."""
    path = write_clip(tmp_path / "plain.mp4", 1, "-c:v", "libx265", "-tag:v", "hvc1")
    decoded = decode_fully(path)
    path.write_bytes(path.read_bytes().replace(b"hvc1", b"dvh1"))
    assert_sampled_as_decoded(path, decoded)
