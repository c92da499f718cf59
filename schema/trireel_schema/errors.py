# SPDX-License-Identifier: Apache-2.0
"""Errors of this package.

SchemaError
├── InvalidValue       a number is out of range, or arrays do not fit together
├── FileMissing        a file of an export is not in its folder
├── FileDamaged        a file cannot be read, or lacks something
├── FormatMismatch     a file has a format version that this package does not read
├── WeightsMismatch    two files come from exports of different weights
├── TowerDiffers       a tower's embeddings are too far from those of its checkpoint
└── DetectorDiffers    a detector's detections are too far from those of its checkpoint
"""


class SchemaError(ValueError):
    """Base of all errors of this package; the message says what was found and what to do."""


class InvalidValue(SchemaError):
    """A number is out of range, or arrays do not fit together."""


class FileMissing(SchemaError):
    """A file of an export is not in its folder."""


class FileDamaged(SchemaError):
    """A file of an export cannot be read, or lacks something."""


class FormatMismatch(SchemaError):
    """A file of an export has a format version that this package does not read."""


class WeightsMismatch(SchemaError):
    """Two files come from exports of different weights."""


class TowerDiffers(SchemaError):
    """A tower's embeddings are too far from those of its checkpoint."""


class DetectorDiffers(SchemaError):
    """A detector's detections are too far from those of its checkpoint."""
