# SPDX-License-Identifier: Apache-2.0
"""The names of videos in everything that a test prints or writes."""

import re

from trireel_client._sources import ServerPath, Source, is_uri


def video_name(video: Source) -> str:
    """Return the name of a video, without secrets; `bytes` for a video without a name.

    User name, password, query and fragment of a URI are left out. Reports are passed on, and these
    parts may be secret, as the signature of a presigned URI is.
    """
    text = _text(video)
    if not is_uri(text):
        return text
    scheme, _, rest = re.split(r"[?#]", text, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def without_secrets(video: Source, message: str) -> str:
    """Return a message about a video, with its name in place of the whole URI."""
    return message.replace(_text(video), video_name(video))


def _text(video: Source) -> str:
    match video:
        case ServerPath(path=path):
            return path
        case bytes() | bytearray() | memoryview():
            return "bytes"
    return str(video)
