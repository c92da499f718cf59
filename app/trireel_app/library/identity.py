# SPDX-License-Identifier: Apache-2.0
"""The identity of a video: the same source has the same id on every machine and in every run."""

import hashlib

from trireel_app.sources.source import normal_uri

ID_DIGITS = 20


def video_id_of(source: str) -> str:
    """Return the id of a path or URI: 20 hexadecimal digits.

    Raises:
        InvalidOption: if the URI has an unknown scheme, or holds a credential.
    """
    return hashlib.sha256(normal_uri(source).encode("utf-8", "surrogateescape")).hexdigest()[
        :ID_DIGITS
    ]
