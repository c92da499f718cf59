# SPDX-License-Identifier: Apache-2.0
"""Errors that stop an export. Each leaves the output folder as it was.

ExportError
├── CheckpointNotLoaded       not found, not readable, or weights are missing from it
├── UnsupportedCheckpoint     loads, but cannot be served: NaFlex, no pooling head, cropping
├── BadList                   a tag or description file that is missing or has no texts
├── BadSetting                an opset or scene setting out of range
├── BadOutput                 the output is a file, or a folder with other things in it
└── VerificationFailed        the exported files do not behave as the checkpoint does
    ├── ProbabilitiesDiffer   a shot boundary's probability is not that of TransNetV2's own code
    ├── DetectionsDiffer          a detector's boxes, scores or labels are not the checkpoint's own
    ├── InvalidGraph          the ONNX checker or onnxruntime rejects the file
    ├── TokensDiffer          tokenizer.json gives other ids than the checkpoint's processor
    ├── EmbeddingsDiffer      too far from the checkpoint's own, or not the same in every batch
    ├── RetrievalDiffers      texts in another order than the checkpoint's own
    ├── NotUnitLength         an embedding that is not normalised
    └── ConstantEmbeddings    different pictures or sentences get the same embedding
"""


class ExportError(Exception):
    """Base of all: the message says what was found, what was needed and what to do."""


class CheckpointNotLoaded(ExportError):
    """The checkpoint is not there or incomplete: check its name or folder."""


class UnsupportedCheckpoint(ExportError):
    """The checkpoint is of a kind that cannot be exported: take another one."""


class BadList(ExportError):
    """A tag or description file cannot be used: give a file of texts."""


class BadSetting(ExportError):
    """A number is out of its range, which the message gives."""


class BadOutput(ExportError):
    """The output folder cannot be replaced: give another one."""


class VerificationFailed(ExportError):
    """The exported files do not behave as the checkpoint does: do not serve them."""


class InvalidGraph(VerificationFailed):
    """An ONNX file is malformed."""


class TokensDiffer(VerificationFailed):
    """The exported tokenizer reads a sentence differently."""


class EmbeddingsDiffer(VerificationFailed):
    """A tower's embedding is too far from the checkpoint's."""


class RetrievalDiffers(VerificationFailed):
    """A picture finds the texts of the bank in another order: take a higher precision."""


class NotUnitLength(VerificationFailed):
    """A tower's embedding is not of unit length."""


class ConstantEmbeddings(VerificationFailed):
    """A tower gives clearly different inputs the same embedding."""


class ProbabilitiesDiffer(VerificationFailed):
    """The exported judge of shot boundaries gives a frame another probability."""


class DetectionsDiffer(VerificationFailed):
    """The exported detector finds something else than its checkpoint."""
