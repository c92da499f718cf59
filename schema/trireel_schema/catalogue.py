# SPDX-License-Identifier: Apache-2.0
"""Every tensor of every model: its name, data type, shape and meaning, written once.

The configs of the models, the docs, the server and the tests are made of this table or compared
with it. A new finding adds its tensors to `TENSORS` and one row to `FINDINGS`;
if they are many, they are in a file of their own.
"""

from trireel_schema.caption_tensors import CAPTION_TENSORS, TEXT
from trireel_schema.description_tensors import DESCRIPTION_TENSORS, DESCRIPTIONS
from trireel_schema.object_tensors import OBJECT_TENSORS, OBJECTS
from trireel_schema.tensor import Dim, FindingTensors, Tensor

__all__ = ["Dim", "FindingTensors", "Tensor"]

SYMBOLS = {
    "n": "chunks in this answer",
    "f": "sampled frames",
    "k": "tags returned",
    "m": "free-text tags",
    "d": "free-text descriptions",
    "c": "transitions between scenes",
    "s": "scenes that have ended",
    "q": "frames of the trace",
    "v": "video streams, or second views",
    "D": "width of an embedding",
    "S": "image size of the checkpoint in pixels",
    "N": "rows of a batch",
    "H": "rows of a picture",
    "W": "columns of a picture",
    "L": "places of a line of text",
    "b": "black intervals",
    "z": "frozen intervals",
    "t": "frames of second views",
    "p": "bytes of second views",
    "w": "findings",
    "y": "bytes of a state",
    "x": "ways to find scenes",
    "j": "clips",
    "e": "captions on screen that have ended",
    "h": "stages of captions, and total",
    "K": "boxes of a frame",
    "l": "labels of objects",
    "g": "frames in which objects are looked for",
    "o": "detected objects",
    "r": "tracks of objects",
    "u": "described scenes",
    "a": "pictures of a question",
    "i": "intervals in which a label is on screen",
}

TENSORS: dict[str, Tensor] = {
    tensor.name: tensor
    for tensor in (
        Tensor("VIDEO", "BYTES", (1,), "path under the media folder, or a URI"),
        Tensor("VIDEO_DATA", "BYTES", (1,), "the file's bytes, instead of VIDEO"),
        Tensor("FIND", "BYTES", ("w",), "findings to make; the default is tags, caption, scenes"),
        Tensor("START_SECONDS", "FP64", ("n",), "PTS at which each wanted chunk begins"),
        Tensor("CHUNK_SECONDS", "FP64", (1,), "length of a chunk"),
        Tensor("FRAMES_PER_CHUNK", "INT32", (1,), "frames sampled from each chunk"),
        Tensor("SAMPLE_FPS", "FP64", (1,), "frames sampled from each second, instead"),
        Tensor("KEYFRAMES_ONLY", "BOOL", (1,), "decode keyframes alone"),
        Tensor("CROP", "FP64", (4,), "left, top, width, height as fractions of the picture"),
        Tensor("CROP_PX", "INT32", (4,), "left, top, width, height in pixels"),
        Tensor("SIZE_PX", "INT32", (1,), "width and height of the frames"),
        Tensor("STREAM_INDEX", "INT32", (1,), "index of the video stream in the file"),
        Tensor("TOP_K", "INT32", (1,), "number of tags returned"),
        Tensor("TAGS", "BYTES", ("m",), "free-text tags, scored instead of the bank's"),
        Tensor("TAG_EMBEDDINGS", "FP32", ("m", "D"), "embeddings of TAGS, from siglip_text"),
        Tensor("DESCRIPTIONS", "BYTES", ("d",), "free-text captions, instead of the bank's"),
        Tensor("DESCRIPTION_EMBEDDINGS", "FP32", ("d", "D"), "their embeddings, from siglip_text"),
        Tensor("SCENE_THRESHOLD", "FP32", (1,), "smallest scene score of a cut"),
        Tensor("SCENE_ALPHA", "FP32", (1,), "weight of the newest frame in the running average"),
        Tensor("SCENES", "BYTES", (1,), "sampled, refined or exact"),
        Tensor("SCENE_MIN_SECONDS", "FP64", (1,), "shortest scene"),
        Tensor("SCENE_WITH_TRACE", "BOOL", (1,), "return SCENE_SIGNALS"),
        Tensor("WITH_EMBEDDINGS", "BOOL", (1,), "return EMBEDDINGS and CHUNK_EMBEDDINGS"),
        Tensor("TEXTS", "BYTES", (1,), "a text to embed"),
        Tensor("ARE_TAGS", "BOOL", ("N", 1), "put the text into the export's prompt for tags"),
        Tensor("FRAMES", "UINT8", ("f", "S", "S", 3), "RGB frames, squashed to the square"),
        Tensor("SINGLE", "FP32", ("N", 100), "probability that a frame is the last one of a shot"),
        Tensor("MANY", "FP32", ("N", 100), "probability that a frame belongs to a transition"),
        *CAPTION_TENSORS,
        Tensor("CLIP_CODEC", "BYTES", (1,), "vp9 or av1"),
        Tensor("CLIP_DEADLINE", "BYTES", (1,), "realtime or good, for vp9"),
        Tensor("CLIP_CPU_USED", "INT32", (1,), "speed of the encoder: higher is larger"),
        Tensor("CLIP_CRF", "INT32", (1,), "quality of clips, 0 to 63: lower is better"),
        Tensor("CLIP_DATA", "BYTES", ("j",), "WebM files"),
        Tensor("TEXT_MAP", "UINT8", ("N", "H", "W"), "255 * probability that a pixel is text"),
        Tensor("LINES", "UINT8", ("N", 48, "W", 3), "RGB pictures of lines of text"),
        Tensor("CODES", "INT32", ("N", "L"), "most probable code at each place of a line"),
        Tensor("CODE_SCORES", "FP32", ("N", "L"), "probability of that code"),
        Tensor("EMBEDDINGS", "FP32", ("f", "D"), "embeddings of frames or texts, unit length"),
        Tensor("TIMESTAMPS", "FP64", ("f",), "PTS of every sampled frame in seconds"),
        Tensor("PTS", "INT64", ("f",), "PTS of every sampled frame in units of TIME_BASE"),
        Tensor("TIME_BASE", "INT64", (2,), "numerator and denominator of a second's fraction"),
        Tensor("CHUNK_NUM_FRAMES", "INT32", ("n",), "frames sampled from each chunk"),
        Tensor("CHUNK_DAMAGED_PACKETS", "INT32", ("n",), "packets that the decoder skipped"),
        Tensor("CHUNK_START_SECONDS", "FP64", ("n",), "PTS at which each chunk begins"),
        Tensor("CHUNK_DURATION_SECONDS", "FP64", ("n",), "length of each chunk"),
        Tensor("PLAN_START_SECONDS", "FP64", ("n",), "PTS at which each planned chunk begins"),
        Tensor("PLAN_DURATION_SECONDS", "FP64", ("n",), "length of each planned chunk"),
        Tensor("VIDEO_START_SECONDS", "FP64", (1,), "PTS of the first frame"),
        Tensor("VIDEO_DURATION_SECONDS", "FP64", (1,), "from there to the end of the last frame"),
        Tensor("IS_COMPLETE", "BOOL", (1,), "false if the file ends before its container states"),
        Tensor("FRAME_RATE", "INT64", (2,), "numerator and denominator of frames per second"),
        Tensor("IS_VFR", "BOOL", (1,), "true if the frame rate is variable"),
        Tensor("PICTURE_SIZE_PX", "INT32", (2,), "width and height of the upright picture"),
        Tensor("VIDEO_STREAM_INDICES", "INT32", ("v",), "indices of all video streams"),
        Tensor("DECODER", "BYTES", (1,), "FFmpeg's name of the decoder"),
        Tensor("EXTRACT_NS", "INT64", (2,), "begin and end of the extraction, monotonic clock"),
        Tensor("VIEW_NAMES", "BYTES", ("v",), "findings that want a second view"),
        Tensor("VIEW_SIZES_PX", "INT32", ("v", 2), "width and height of each second view"),
        Tensor("CHUNK_VIEW_NUM_FRAMES", "INT32", ("n", "v"), "frames of each second view"),
        Tensor("VIEW_TIMESTAMPS", "FP64", ("t",), "PTS of these frames, chunk by chunk"),
        Tensor("CHUNK_VIEW_REGIONS", "FP64", ("n", "v", 4), "part of the picture each view shows"),
        Tensor("VIEW_PIXELS", "UINT8", ("p",), "their RGB pixels, one frame behind the other"),
        Tensor("RETURN_STATE", "BOOL", (1,), "return STATE"),
        Tensor("START_STATE", "UINT8", ("y",), "STATE with which START continues a video"),
        Tensor("ANY_ORDER", "BOOL", (1,), "accept a chunk that is not after the last one"),
        Tensor("STATE", "UINT8", ("y",), "state of the video after this chunk"),
        Tensor("CHUNK_STATUS", "BYTES", ("n",), "new, or repeated for the last chunk again"),
        Tensor("CHUNK_INDICES", "INT32", ("n",), "position of each chunk in the video"),
        Tensor("CHUNK_EMBEDDINGS", "FP32", ("n", "D"), "pooled embedding of each chunk"),
        Tensor("CHUNK_TAG_TEXTS", "BYTES", ("n", "k"), "best tags of each chunk"),
        Tensor("CHUNK_TAG_SCORES", "FP32", ("n", "k"), "their cosines"),
        Tensor("CHUNK_TAG_PROBABILITIES", "FP32", ("n", "k"), "their probabilities"),
        Tensor("TAG_TEXTS", "BYTES", ("k",), "best tags of the video so far"),
        Tensor("TAG_SCORES", "FP32", ("k",), "their cosines to the duration-weighted mean"),
        Tensor("TAG_PROBABILITIES", "FP32", ("k",), "their probabilities"),
        Tensor("CHUNK_CAPTION_TEXTS", "BYTES", ("n",), "best description of each chunk"),
        Tensor("CHUNK_CAPTION_SCORES", "FP32", ("n",), "its cosine"),
        Tensor("CHUNK_CAPTION_PROBABILITIES", "FP32", ("n",), "its probability"),
        Tensor("CAPTION_TEXT", "BYTES", (1,), "best description of any chunk so far"),
        Tensor("CAPTION_SCORE", "FP32", (1,), "its cosine"),
        Tensor("CAPTION_PROBABILITY", "FP32", (1,), "its probability"),
        Tensor("SCENE_MODE", "BYTES", ("n",), "mode in force: sampled, refined or exact"),
        Tensor("SCENE_TIMESTAMPS", "FP64", ("c",), "PTS of the first new frame; middle if gradual"),
        Tensor("SCENE_TRANSITIONS", "FP64", ("c", 2), "begin and end of each transition"),
        Tensor("SCENE_KINDS", "BYTES", ("c",), "cut, dissolve, fade or wipe"),
        Tensor("SCENE_SCORES", "FP32", ("c",), "strength of each transition"),
        Tensor("SCENE_REASONS", "BYTES", ("c",), "evidence for each transition"),
        Tensor("SCENE_CHUNK_INDICES", "INT32", ("c",), "chunk of each transition"),
        Tensor(
            "SCENE_FRAME_INDICES", "INT32", ("c",), "first sampled frame behind it, in its chunk"
        ),
        Tensor("SCENE_TRACE", "FP32", ("f",), "1 - cosine to the running average, each frame"),
        Tensor("SCENE_SIGNAL_TIMESTAMPS", "FP64", ("q",), "PTS of the frames of SCENE_SIGNALS"),
        Tensor(
            "SCENE_SIGNALS", "FP32", ("q", 2), "change of the picture; TransNetV2's score or NaN"
        ),
        Tensor("SCENE_SPANS", "FP64", ("s", 2), "start and end of each scene that has ended"),
        Tensor("SCENE_TAG_TEXTS", "BYTES", ("s", "k"), "best tags of each scene"),
        Tensor("SCENE_TAG_SCORES", "FP32", ("s", "k"), "their cosines"),
        Tensor("SCENE_TAG_PROBABILITIES", "FP32", ("s", "k"), "their probabilities"),
        Tensor("SCENE_CAPTION_TEXTS", "BYTES", ("s",), "best description of each scene"),
        Tensor("SCENE_CAPTION_SCORES", "FP32", ("s",), "its cosine"),
        Tensor("SCENE_CAPTION_PROBABILITIES", "FP32", ("s",), "its probability"),
        Tensor("SCENE_REPRESENTATIVE_SECONDS", "FP64", ("s",), "PTS of the frame for each scene"),
        Tensor("CHUNK_QUALITY_BLACK_SHARES", "FP32", ("n",), "share of black frames, 0 to 1"),
        Tensor("CHUNK_QUALITY_FROZEN_SHARES", "FP32", ("n",), "share of frozen frames, 0 to 1"),
        Tensor("CHUNK_QUALITY_SHARPNESS", "FP32", ("n",), "mean variance of the Laplacian"),
        Tensor("CHUNK_QUALITY_LUMAS", "FP32", ("n",), "mean luma, 0 to 255"),
        Tensor("QUALITY_BLACK_INTERVALS", "FP64", ("b", 2), "begin and end of black stretches"),
        Tensor("QUALITY_FREEZE_INTERVALS", "FP64", ("z", 2), "begin and end of frozen stretches"),
        Tensor("NUM_CHUNKS", "INT32", (1,), "chunks planned for the whole video"),
        Tensor("EMBEDDING_DIM", "INT32", (1,), "D"),
        Tensor("TIMING_STAGES", "BYTES", (5,), "names of the stages, and total"),
        Tensor("TIMING_MS", "FP64", (5,), "busy time of each stage; wall time in total"),
        Tensor("CHECKPOINT", "BYTES", (1,), "name of the checkpoint that answers"),
        Tensor("CHECKPOINT_NOTE", "BYTES", (1,), "what people should know of it; may be empty"),
        Tensor("WEIGHTS_SHA256", "BYTES", (1,), "hash of the checkpoint's weights"),
        Tensor("IMAGE_SIZE_PX", "INT32", (1,), "S"),
        Tensor("LOGIT_SCALE", "FP64", (1,), "factor of a cosine in the logit of its probability"),
        Tensor("LOGIT_BIAS", "FP64", (1,), "number added to the scaled cosine"),
        Tensor("PRECISION", "BYTES", (1,), "number format of the vision tower"),
        Tensor("RUNTIME", "BYTES", (1,), "what computes the vision tower"),
        Tensor("VERSION", "BYTES", (1,), "version of Trireel"),
        Tensor("TAG_PROMPT", "BYTES", (1,), "sentence that every tag stands in, {} for the tag"),
        Tensor("FFMPEG_VERSION", "BYTES", (1,), "version of the FFmpeg that decodes"),
        Tensor("TEXT_BANK_SHA256", "BYTES", (1,), "hash of the bank's file"),
        Tensor("NUM_TAGS", "INT32", (1,), "tags of the bank"),
        Tensor("NUM_DESCRIPTIONS", "INT32", (1,), "descriptions of the bank"),
        Tensor("FINDINGS", "BYTES", ("w",), "findings on offer"),
        Tensor("SCENE_MODES", "BYTES", ("x",), "values of SCENES on offer"),
        Tensor("WITH_TEXTS", "BOOL", (1,), "return the bank as TAGS and DESCRIPTIONS"),
        Tensor("IS_AGGREGATE", "BOOL", (1,), "true for the answer of the whole video"),
        *OBJECT_TENSORS,
        *DESCRIPTION_TENSORS,
    )
}

FINDINGS: dict[str, FindingTensors] = {
    "tags": FindingTensors(
        inputs=("TOP_K", "TAGS", "TAG_EMBEDDINGS"),
        outputs=(
            "CHUNK_TAG_TEXTS",
            "CHUNK_TAG_SCORES",
            "CHUNK_TAG_PROBABILITIES",
            "TAG_TEXTS",
            "TAG_SCORES",
            "TAG_PROBABILITIES",
        ),
    ),
    "caption": FindingTensors(
        inputs=("DESCRIPTIONS", "DESCRIPTION_EMBEDDINGS"),
        outputs=(
            "CHUNK_CAPTION_TEXTS",
            "CHUNK_CAPTION_SCORES",
            "CHUNK_CAPTION_PROBABILITIES",
            "CAPTION_TEXT",
            "CAPTION_SCORE",
            "CAPTION_PROBABILITY",
        ),
    ),
    "scenes": FindingTensors(
        inputs=(
            "SCENES",
            "SCENE_THRESHOLD",
            "SCENE_ALPHA",
            "SCENE_MIN_SECONDS",
            "SCENE_WITH_TRACE",
        ),
        outputs=(
            "SCENE_MODE",
            "SCENE_TIMESTAMPS",
            "SCENE_TRANSITIONS",
            "SCENE_KINDS",
            "SCENE_SCORES",
            "SCENE_REASONS",
            "SCENE_CHUNK_INDICES",
            "SCENE_FRAME_INDICES",
            "SCENE_TRACE",
            "SCENE_SIGNAL_TIMESTAMPS",
            "SCENE_SIGNALS",
            "SCENE_SPANS",
            "SCENE_TAG_TEXTS",
            "SCENE_TAG_SCORES",
            "SCENE_TAG_PROBABILITIES",
            "SCENE_CAPTION_TEXTS",
            "SCENE_CAPTION_SCORES",
            "SCENE_CAPTION_PROBABILITIES",
            "SCENE_REPRESENTATIVE_SECONDS",
        ),
    ),
    "quality": FindingTensors(
        inputs=(),
        outputs=(
            "CHUNK_QUALITY_BLACK_SHARES",
            "CHUNK_QUALITY_FROZEN_SHARES",
            "CHUNK_QUALITY_SHARPNESS",
            "CHUNK_QUALITY_LUMAS",
            "QUALITY_BLACK_INTERVALS",
            "QUALITY_FREEZE_INTERVALS",
        ),
    ),
    "objects": OBJECTS,
    "text": TEXT,
    "description": DESCRIPTIONS,
}
"""The findings that a request may name in FIND, in the order in which they are made."""

DEFAULT_FINDINGS = ("tags", "caption", "scenes")
"""The findings of a request without FIND."""
FREE_TEXTS = {"TAGS": "TAG_EMBEDDINGS", "DESCRIPTIONS": "DESCRIPTION_EMBEDDINGS"}
"""Inputs of free texts, and the inputs of their embeddings.

A model of whole videos gets the texts alone, and embeds them by `siglip_text`.
"""
VIEW_TENSORS = (
    "VIEW_NAMES",
    "VIEW_SIZES_PX",
    "CHUNK_VIEW_NUM_FRAMES",
    "CHUNK_VIEW_REGIONS",
    "VIEW_TIMESTAMPS",
    "VIEW_PIXELS",
)
"""Tensors by which the frames of second views go from the extractor to the findings."""
VIEW_INPUTS = ("FIND", "SCENES", "OBJECTS_FPS", "TEXT_FPS")
"""Inputs that decide which second views are made, so that the extractor gets them too."""
EVERY_CHUNK_OUTPUTS = ("CHUNK_INDICES", "CHUNK_EMBEDDINGS")
"""Outputs of the temporal decoder that belong to no finding."""

SEQUENCE_INPUTS = ("RETURN_STATE", "START_STATE", "ANY_ORDER")
"""Inputs of models with state that belong to no finding."""
SEQUENCE_OUTPUTS = ("STATE", "CHUNK_STATUS")
"""Outputs of models with state that clients get, and that belong to no finding."""


def finding_outputs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the outputs of the temporal decoder for these findings, in order."""
    outputs = (output for name in names for output in FINDINGS[name].outputs)
    return (*EVERY_CHUNK_OUTPUTS, *outputs)
