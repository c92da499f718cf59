# SPDX-License-Identifier: Apache-2.0
"""What videos are called in everything that a test prints or writes."""

import re

from trireel_client._sources import ServerPath, Source, is_uri


def video_name(video: Source) -> str:
    """Return what to call a video; one that is given as bytes has no name.

    Of a URI, user name, password, query and fragment are left out: reports are passed on, and these
    may be secret, as the signature of a presigned URI is.
    """
    text = _text(video)
    if not is_uri(text):
        return text
    scheme, _, rest = re.split(r"[?#]", text, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def said_of(video: Source, message: str) -> str:
    """Return what was said of a video, with its name wherever that says the whole URI."""
    return message.replace(_text(video), video_name(video))


def _text(video: Source) -> str:
    match video:
        case ServerPath(path=path):
            return path
        case bytes() | bytearray() | memoryview():
            return "bytes"
    return str(video)
