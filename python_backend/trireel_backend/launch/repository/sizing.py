# SPDX-License-Identifier: Apache-2.0
"""The number of instances and threads of the models, unless the operator sets them.

docs/deploy.md explains the rule and its measurements.
"""

from dataclasses import dataclass

LEAST_EXTRACTORS = 2  # probing a video must not wait for the frames of another
MOST_EXTRACTORS = 32  # about 60 MiB each
EXTRACTOR_BYTES = 2 * 2**30  # of the container's memory: most videos take little, a few take 4 GiB
MOST_VIDEOS = 32  # four processes of 24 MiB
MOST_SPANS = 8
MOST_CLIP_ENCODERS = 32
CLIP_ENCODER_BYTES = 2**30  # of the container's memory


@dataclass(frozen=True)
class Sizing:
    """Instances and threads for one machine."""

    cpus: int
    """Number of CPUs; also the threads of a tower on the CPU."""
    extractors: int
    """Extractors, each with one decoder thread: one per CPU if memory suffices."""
    videos: int
    """Whole videos in flight: for each extractor one in it, and one behind it in the tower."""
    spans: int
    """Groups of chunks of one video in the encoder at once, if no other video needs extractors."""

    clip_encoders: int
    """Encoders of clips, each with one thread: one per CPU if memory suffices."""

    @classmethod
    def of(
        cls, cpus: int, memory_bytes: int | None = None, extractors: int | None = None
    ) -> "Sizing":
        """Return the sizes for a number of CPUs.

        Args:
            memory_bytes: memory that the container may use; None if nothing limits it.
            extractors: the operator's number; None for as many as CPUs and memory allow.
        """
        if extractors is None:
            by_memory = MOST_EXTRACTORS if memory_bytes is None else memory_bytes // EXTRACTOR_BYTES
            extractors = max(LEAST_EXTRACTORS, min(cpus, by_memory, MOST_EXTRACTORS))
        clips = cpus if memory_bytes is None else min(cpus, memory_bytes // CLIP_ENCODER_BYTES)
        return cls(
            cpus=cpus,
            extractors=extractors,
            videos=min(2 * extractors, MOST_VIDEOS),
            spans=min(extractors, MOST_SPANS),
            clip_encoders=max(1, min(clips, MOST_CLIP_ENCODERS)),
        )

    def instances(self) -> dict[str, int]:
        """Return the number of instances of each CPU-bound model, by name."""
        return {
            "frame_extractor": self.extractors,
            "video_analysis": self.videos,
            "clip_encoder": self.clip_encoders,
        }

    def parameters(self) -> dict[str, str]:
        """Return the values of the models' parameters."""
        return {
            "threads": str(self.cpus),
            "intra_op_thread_count": str(self.cpus),
            "spans_in_flight": str(self.spans),
            "clips_in_flight": str(self.clip_encoders),
        }
