# SPDX-License-Identifier: Apache-2.0
"""Good requests, and whether their answers equal those of an idle server."""

import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.soak.place import Clients, Place
from trireel_client import Analysis, Caption, ChunkAnalysis, InvalidRequest, ServerPath, Tag

MOST_DIFFERENCE = 1e-5  # a tower's batch depends on the other requests
WAYS = ("grpc", "http", "stream", "step")
OPTIONS: tuple[Mapping[str, Any], ...] = (
    {},
    {},
    {"frames_per_chunk": 4},
    {"frames_per_chunk": 48},
    {"sample_fps": 2.0},
    {"chunk_seconds": 3.0, "frames_per_chunk": 6},
    {"keyframes_only": True},
    {"crop": (0.1, 0.2, 0.5, 0.6)},
    {"tags": ("a kitchen", "a beach", "an office with desks")},
    {"tags": tuple(f"thing number {index}" for index in range(70)), "top_k": 3},
    {"top_k": 2, "scene_threshold": 0.3, "scene_alpha": 0.5},
)


@dataclass(frozen=True)
class Seen:
    """The parts of an answer that are compared."""

    tags: tuple[Tag, ...]
    caption: Caption
    chunks: tuple[ChunkAnalysis, ...]


@dataclass(frozen=True)
class Ask:
    """A request that has an answer."""

    clip: str
    source: str
    """path, bytes, http or s3."""
    way: str
    """One of WAYS."""
    option: int
    """Index into OPTIONS."""

    @property
    def key(self) -> tuple[str, int]:
        """The parts that the answer depends on."""
        return self.clip, self.option

    def __str__(self) -> str:
        return f"{self.clip} by {self.source}, {self.way}, {dict(OPTIONS[self.option])}"[:120]

    def answer(self, place: Place, own: Clients) -> Seen:
        """Send the request; raises TrireelError."""
        video, options = _video(self, place), dict(OPTIONS[self.option])
        if self.way == "step":
            chunks = tuple(own.grpc.step(video, **options))
            return _seen(chunks[-1].video_so_far, chunks)
        if self.way == "stream":
            *_, whole = own.grpc.stream(video, **options)
        else:
            whole = (own.http if self.way == "http" else own.grpc).analyze(video, **options)
        return _seen(whole, whole.chunks if isinstance(whole, Analysis) else ())


def make_asks(clips: Iterable[str], sources: tuple[str, ...], seed: int) -> list[Ask]:
    """Return requests with every clip, source, way and option; the same for the same seed."""
    rng = random.Random(seed)
    asks = []
    for clip in clips:
        options = rng.sample(range(len(OPTIONS)), 4)
        for index, way in enumerate(WAYS):
            for option in options[: 2 + index % 2]:
                asks.append(Ask(clip, rng.choice(sources), way, option))
    return asks


def references(asks: Iterable[Ask], place: Place, own: Clients) -> dict[tuple[str, int], Seen]:
    """Send every request once, by path over gRPC, to an idle server.

    Requests that the server rejects, such as a rate above the clip's own, are left out.
    """
    found: dict[tuple[str, int], Seen] = {}
    for ask in {ask.key: ask for ask in asks}.values():
        with suppress(InvalidRequest):
            found[ask.key] = replace(ask, source="path", way="grpc").answer(place, own)
    return found


def difference(reference: Seen, seen: Seen) -> str:
    """Return the first difference between two answers; "" if they are equal."""
    if len(reference.chunks) != len(seen.chunks):
        return f"{len(seen.chunks)} chunks, not {len(reference.chunks)}"
    pairs = list(zip(reference.chunks, seen.chunks, strict=True))
    parts: list[tuple[str, Any, Any]] = [("video", reference, seen)]
    parts += [(f"chunk {one.index}", one, other) for one, other in pairs]
    for name, one, other in parts:
        if not _same_tags(one, other):
            return f"{name}: other tags"
        scores = [one.caption.score], [other.caption.score]
        if one.caption.text != other.caption.text or not _near(*scores):
            return f"{name}: other caption"
    for one, other in pairs:
        if one.frame_pts != other.frame_pts:
            return f"chunk {one.index}: other frames"
        if _cuts(one) != _cuts(other):
            return f"chunk {one.index}: other cuts"
        if not _near(one.scene_trace, other.scene_trace):
            return f"chunk {one.index}: other scene scores"
    return ""


def _video(ask: Ask, place: Place) -> Any:
    match ask.source:
        case "bytes":
            return (place.media / ask.clip).read_bytes()
        case "http":
            # Every other time a new URI: the spool has to drop the videos that it holds.
            number = next(place.numbers)
            return f"{place.web_url}/{ask.clip}" + (f"?{number}" if number % 2 else "")
        case "s3":
            return place.s3_uris[ask.clip]
    return ServerPath(ask.clip)


def _seen(whole: Any, chunks: tuple[ChunkAnalysis, ...]) -> Seen:
    if whole is None or not chunks:
        raise TypeError("the last answer is not that of the whole video")
    return Seen(whole.tags, whole.caption, chunks)


def _near(ones: Iterable[float], others: Iterable[float]) -> bool:
    pairs = zip(ones, others, strict=True)
    return all(abs(one - other) <= MOST_DIFFERENCE for one, other in pairs)


def _same_tags(one: Any, other: Any) -> bool:
    """Compare rankings; tags with nearly equal scores may change places."""
    mine, theirs = ({tag.text: tag.score for tag in part.tags} for part in (one, other))
    return mine.keys() == theirs.keys() and _near(mine.values(), (theirs[text] for text in mine))


def _cuts(chunk: ChunkAnalysis) -> list[tuple[float, int]]:
    return [(cut.timestamp_seconds, cut.frame_index) for cut in chunk.scene_changes]
