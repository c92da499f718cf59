# SPDX-License-Identifier: Apache-2.0
"""The video streams of a container, and the choice among them."""

from collections.abc import Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from trireel_backend.errors import InvalidInput, NotAVideo
from trireel_backend.extraction.reading.encryption import refuse_encrypted


def video_stream_indices(container: InputContainer) -> tuple[int, ...]:
    """Return which streams are videos; cover art is a picture beside the sound, not a video."""
    return tuple(stream.index for stream in container.streams.video if not _is_cover_art(stream))


def choose_stream(container: InputContainer, path: Path, index: int | None) -> VideoStream:
    """Return the video stream of an index, with None the one that a player would show.

    Raises:
        NotAVideo: if no stream, or not this one, can be decoded here.
        InvalidInput: if the file has no video stream of this index.
    """
    indices = video_stream_indices(container)
    if not indices:
        raise NotAVideo("the file holds no video stream")
    if index is not None and index not in indices:
        raise InvalidInput(
            f"STREAM_INDEX is {index}: the file's video streams are {_list(indices)}"
        )
    decodable = [known for known in indices if _is_decodable(container.streams[known])]
    if index is None and decodable:
        best = container.streams.best("video")
        index = best.index if best is not None and best.index in decodable else decodable[0]
    stream = container.streams[indices[0] if index is None else index]
    assert isinstance(stream, VideoStream)
    if stream.index not in decodable:
        refuse_encrypted(path, container, stream)
        raise NotAVideo(_undecodable(index, decodable))
    return stream


def _undecodable(index: int | None, decodable: Sequence[int]) -> str:
    if not decodable:
        return "the file's video is of a codec that cannot be decoded here"
    return (
        f"STREAM_INDEX is {index}, a stream of a codec that cannot be decoded here: the video"
        f" streams that can are {_list(decodable)}"
    )


def _is_decodable(stream: Stream) -> bool:
    return stream.codec_context is not None  # PyAV's stub says that it is always there


def _list(indices: Sequence[int]) -> str:
    return ", ".join(map(str, indices))


def _is_cover_art(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
