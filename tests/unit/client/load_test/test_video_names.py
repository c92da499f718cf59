# SPDX-License-Identifier: Apache-2.0
"""What videos are called: nothing of a URI that may be secret."""

from pathlib import Path

import pytest

from trireel_client import ServerPath
from trireel_client.load_test.video_names import video_name, without_secrets

SIGNED = "https://user:word@host:8443/clips/a@b.mp4?X-Amz-Signature=abc&x=/y#part"


@pytest.mark.parametrize(
    ("video", "name"),
    [
        ("clips/a.mp4", "clips/a.mp4"),
        ("clips/what?#1.mp4", "clips/what?#1.mp4"),  # a file's name has no secrets
        (Path("clips/a.mp4"), "clips/a.mp4"),
        (b"moving pictures", "bytes"),
        (ServerPath("clips/a.mp4"), "clips/a.mp4"),
        ("s3://bucket/clips/a.mp4", "s3://bucket/clips/a.mp4"),
        (SIGNED, "https://host:8443/clips/a@b.mp4"),
        (ServerPath(SIGNED), "https://host:8443/clips/a@b.mp4"),
        ("https://user:w@rd@host?token=a/b@c", "https://host"),
        ("https://user@[bad", "https://[bad"),
    ],
)
def test_a_video_is_called_by_what_may_be_shown(video, name):
    assert video_name(video) == name


def test_what_is_said_of_a_video_uses_its_name():
    said = without_secrets(SIGNED, f"{SIGNED!r} is not there: give another than {SIGNED}")
    name = "https://host:8443/clips/a@b.mp4"
    assert said == f"'{name}' is not there: give another than {name}"
    assert without_secrets(b"x", "the queue is full") == "the queue is full"
