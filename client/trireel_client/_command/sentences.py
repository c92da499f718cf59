# SPDX-License-Identifier: Apache-2.0
"""Errors in the words of the command: its options, not tensors or Python."""

import re
from collections.abc import Mapping
from types import MappingProxyType

OPTIONS = {
    "CHUNK_SECONDS": "--chunk-seconds",
    "CLIP_CODEC": "--clip-codec",
    "CLIP_CPU_USED": "--clip-cpu-used",
    "CLIP_CRF": "--clip-crf",
    "CLIP_DEADLINE": "--clip-deadline",
    "CLIP_SECONDS": "--clip-seconds",
    "CROP": "--crop",
    "CROP_PX": "--crop-px",
    "DESCRIPTIONS": "--descriptions",
    "FIND": "--find",
    "FIND_REGION": "--find-region",
    "FRAMES_PER_CHUNK": "--frames-per-chunk",
    "KEYFRAMES_ONLY": "--keyframes-only",
    "OBJECTS": "--objects-mode",
    "OBJECTS_FPS": "--objects-fps",
    "OBJECTS_LABELS": "--labels",
    "OBJECTS_THRESHOLD": "--objects-threshold",
    "SAMPLE_FPS": "--sample-fps",
    "SCENES": "--scenes",
    "SCENE_ALPHA": "--scene-alpha",
    "SCENE_MIN_SECONDS": "--min-scene",
    "SCENE_THRESHOLD": "--scene-threshold",
    "STREAM_INDEX": "--stream-index",
    "TAGS": "--tags",
    "TEXT_FPS": "--text-fps",
    "TOP_K": "--top-k",
    "WITH_EMBEDDINGS": "--with-embeddings",
}
"""Options of the commands by the names of their tensors."""
QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# A quoted text is the user's own; it stays, also if it holds the name of a tensor.
NAMES = re.compile(rf"{QUOTED}|(?<![\w-])(?:{'|'.join(OPTIONS)})(?!\w)")
SERVER_PATH = re.compile(rf"give ServerPath\((?:{QUOTED})\)")
OF_PYTHON = re.compile(r"^(find|tags|descriptions|scenes|labels)(?= (?:is|holds) )")
BOTH = re.compile(r"^got both of (\w+) and (\w+):")


def sentence(error: Exception, options: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return an error's message in the words of the command.

    Args:
        options: options by the names of their tensors, if the command's differ from others'.
    """
    names = {**OPTIONS, **options}
    message = SERVER_PATH.sub("add --server-path", str(error))
    message = message.replace("give a ServerPath or a URI", "use --server-path or a URI")
    message = OF_PYTHON.sub(r"--\1", message)
    message = BOTH.sub(
        lambda found: f"got both of {_option(found[1])} and {_option(found[2])}:", message
    )
    return NAMES.sub(lambda found: names.get(found[0], found[0]), message)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
