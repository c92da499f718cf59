# SPDX-License-Identifier: Apache-2.0
"""Names that the model `caption_extents` and its clients share."""

CAPTIONS_MODEL = "caption_extents"
"""Name of the model that returns the captions of a whole video."""
CAPTION_STAGES = ("fetch", "look", "extract", "compare", "read", "encode", "total")
"""The values of the tensor STAGES, in order: the stages, which overlap, and the whole request."""
