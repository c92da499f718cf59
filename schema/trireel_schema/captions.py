# SPDX-License-Identifier: Apache-2.0
"""Names that the model `caption_extents` and its clients share."""

CAPTIONS_MODEL = "caption_extents"
"""Name of the model that returns the captions of a whole video."""
CAPTION_STAGES = ("fetch", "look", "extract", "compare", "read", "encode", "total")
"""The values of the tensor STAGES, in order: the stages, which overlap, and the whole request."""
DEFAULT_TEXT_FPS = 2.0
"""Frames of a second in which the finding `text` looks for captions."""
MAX_TEXT_FPS = 30.0
"""Most frames of a second that a request may choose."""
