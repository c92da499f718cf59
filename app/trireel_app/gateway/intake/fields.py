# SPDX-License-Identifier: Apache-2.0
"""What a sender says of a video: name, options, URI; checked before anything is kept."""

import json
import unicodedata
from typing import Any
from urllib.parse import unquote, urlsplit

from trireel_app.errors import InvalidOption
from trireel_app.gateway.failures import Invalid
from trireel_app.jobs.submit import check_options
from trireel_app.sources.source import REMOTE_SCHEMES, normal_uri, scheme_of

MOST_LETTERS = 200
MOST_URI_LETTERS = 4096
MOST_OPTIONS_LETTERS = 64 << 10
NAMELESS = "video"
NOT_SHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, marks of direction, surrogates


def safe_name(name: str) -> str:
    """Return a name for people: the last part of a path, without letters that deceive."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    normal = unicodedata.normalize("NFC", last)
    spaced = " ".join(normal.split())
    shown = "".join(c for c in spaced if unicodedata.category(c) not in NOT_SHOWN)
    return shown.strip(". ")[:MOST_LETTERS] or NAMELESS


def options_of(text: str) -> str:
    """Return the options of an analysis as normal JSON; raises Invalid, InvalidOption."""
    if not text.strip():
        return "{}"
    if len(text) > MOST_OPTIONS_LETTERS:
        raise Invalid(f"the options are too long: send at most {MOST_OPTIONS_LETTERS} letters")
    try:
        options = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("the options are no JSON: send an object") from error
    return normal_options(options)


def normal_options(options: Any) -> str:
    """Return options as normal JSON; raises Invalid, InvalidOption."""
    if not isinstance(options, dict):
        raise Invalid('the options are no object: send {"NAME": VALUE, ...}')
    if "with_embeddings" in options:
        raise Invalid("with_embeddings is no option here: leave it out")
    try:
        check_options(options, [])
        return json.dumps(options, sort_keys=True, allow_nan=False)
    except InvalidOption:
        raise
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise Invalid("an option has a value that is not allowed") from error


def uri_of(text: str) -> str:
    """Return the normal address of a video that servers fetch; raises Invalid, InvalidOption."""
    if len(text) > MOST_URI_LETTERS or not text.isprintable():
        raise Invalid("the URI is too long, or holds controls: send another")
    if scheme_of(text) not in REMOTE_SCHEMES:
        known = ", ".join(f"{each}://" for each in REMOTE_SCHEMES)
        raise Invalid(f"the URI names no place that servers fetch from: send {known}")
    try:
        if not urlsplit(text).hostname:
            raise Invalid("the URI has no host: send another")
        return normal_uri(text)
    except ValueError as error:
        raise Invalid("the URI cannot be read: send another") from error


def name_of_uri(uri: str) -> str:
    """Return the name that a video of a URI has for people."""
    return safe_name(unquote(urlsplit(uri).path))
