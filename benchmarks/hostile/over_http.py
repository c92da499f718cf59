# SPDX-License-Identifier: Apache-2.0
"""Random requests over HTTP: inference, binary data, compression, admin APIs, broken HTTP."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.hostile.values import (
    BODY_BYTES,
    MODELS,
    NUMBERS,
    TENSORS,
    TYPES,
    Random,
    dumps,
    inference,
    shape,
    text_inference,
    value,
    video_inference,
)

ADMIN = (
    "v2", "v2/health/live", "v2/health/ready", "v2/logging", "v2/trace/setting", "v2/models/stats",
    "v2/repository/index", "v2/systemsharedmemory/status", "v2/cudasharedmemory/status",
    "v2/systemsharedmemory/region/r/register", "v2/systemsharedmemory/region/r/unregister",
    "v2/cudasharedmemory/region/r/register", "v2/systemsharedmemory/unregister", "metrics", "",
)  # fmt: skip
MODEL_PATHS = (
    "", "/ready", "/config", "/stats", "/trace/setting", "/generate", "/generate_stream",
    "/versions/1/infer", "/versions/-1/infer", "/versions/99999999999999999999/infer", "/load",
)  # fmt: skip


VIDEO_SHARE = 0.04  # each takes some 0.3 s


@dataclass(frozen=True)
class HttpRequest:
    """A request over HTTP."""

    extension: str
    """The part of the protocol that it uses."""
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Bytes to send instead of a well-formed request; None for that request."""


def infer_http(rng: Random) -> HttpRequest:
    """Return an inference in JSON."""
    if rng.random() < VIDEO_SHARE:
        body, model = video_inference(rng), "video_analysis"
    elif rng.random() < 0.4:
        body, model = text_inference(rng), "siglip_text"
    else:
        body, model = inference(rng), rng.choice(MODELS)
    return HttpRequest("inference", "POST", f"/v2/models/{model}/infer", dumps(body))


def mangled_http(rng: Random) -> HttpRequest:
    """Return an inference whose JSON has random bytes changed, or is deeply nested."""
    if rng.random() < 0.2:
        body = rng.choice((b"[", b'{"a":', b'{"inputs":[')) * rng.choice((10, 1000, 20_000))
    else:
        data = bytearray(dumps(inference(rng)))
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        body = bytes(data[: rng.randrange(len(data) + 1)])
    return HttpRequest("inference", "POST", "/v2/models/siglip_text/infer", body[:BODY_BYTES])


def binary_http(rng: Random) -> HttpRequest:
    """Return a body of JSON and bytes, whose stated lengths may be wrong."""
    data = rng.randbytes(rng.choice((0, 1, 4, 100, 4096)))
    tensor = {"name": rng.choice(TENSORS), "datatype": rng.choice(TYPES), "shape": shape(rng)}
    sizes = (len(data), len(data), 0, -1, 2**31, 2**63, 2**64, "x")
    tensor["parameters"] = {"binary_data_size": rng.choice(sizes)}
    outputs = [{"name": "EMBEDDINGS", "parameters": {"binary_data": True}}]
    head = dumps({"inputs": [tensor] * rng.choice((1, 1, 2)), "outputs": outputs})
    lengths = (len(head), len(head), 0, len(head) + 1, len(head) * 2, -1, 2**64, "x", "")
    headers = {"Inference-Header-Content-Length": str(rng.choice(lengths))}
    if rng.random() < 0.3:
        headers["Content-Type"] = "application/octet-stream"
    path = f"/v2/models/{rng.choice(MODELS[:4])}/infer"
    return HttpRequest("binary data", "POST", path, head + data, headers)


def raw_body_http(rng: Random) -> HttpRequest:
    """Return a raw binary request: no JSON at all."""
    headers = {"Inference-Header-Content-Length": "0", "Content-Type": "application/octet-stream"}
    body = rng.randbytes(rng.choice((0, 1, 8, 4096, BODY_BYTES)))
    return HttpRequest(
        "raw binary", "POST", f"/v2/models/{rng.choice(MODELS)}/infer", body, headers
    )


def compressed_http(rng: Random) -> HttpRequest:
    """Return a compressed body, valid or cut or not compressed at all."""
    plain = dumps(text_inference(rng))
    bomb = gzip.compress(bytes(32 * 2**20)) if rng.random() < 0.02 else gzip.compress(plain)
    body = rng.choice((bomb, zlib.compress(plain), plain, b"", rng.randbytes(64)))
    if rng.random() < 0.3:
        body = body[: rng.randrange(len(body) + 1)]
    headers = {"Content-Encoding": rng.choice(("gzip", "deflate", "br", "", "gzip, deflate"))}
    headers["Accept-Encoding"] = rng.choice(("gzip", "deflate", "gzip;q=0", "*", "x"))
    return HttpRequest("compression", "POST", "/v2/models/siglip_text/infer", body, headers)


def admin_http(rng: Random) -> HttpRequest:
    """Return a request to an admin API, or to a model's paths."""
    if rng.random() < 0.5:
        path = rng.choice(ADMIN)
    else:
        path = f"v2/models/{rng.choice(MODELS)}{rng.choice(MODEL_PATHS)}"
    region = {"key": "/x", "offset": rng.choice(NUMBERS), "byte_size": rng.choice(NUMBERS)}
    body = dumps(rng.choice((region, value(rng), {"log_file": "/x"}, {"trace_level": ["OFF"]})))
    method = rng.choice(("GET", "POST", "POST", "PUT", "DELETE", "HEAD"))
    return HttpRequest("admin, statistics, generate", method, f"/{path}", body)


def form_http(rng: Random) -> HttpRequest:
    """Return a form, large in one of ten cases."""
    size = 5_000_000 if rng.random() < 0.1 else rng.randrange(BODY_BYTES)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = rng.choice((b"a", b"a=b&", b"%", b"&", b"=")) * size
    return HttpRequest("form", "POST", "/v2/models/siglip_text/infer", body[:size], headers)


def broken_http(rng: Random) -> HttpRequest:
    """Return bytes that are not HTTP, or HTTP with wrong lengths."""
    line = b"POST /v2/models/siglip_text/infer HTTP/1.1\r\nHost: a\r\n"
    raw = rng.choice((
        rng.randbytes(200), line,
        line + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        line + b"Content-Length: -1\r\n\r\n",
        line + b"Content-Length: 99999999999999999999\r\n\r\n",
        line + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        line + b"X: " + b"a" * 40_000 + b"\r\n\r\n", line + b"A: b\r\n" * 5_000 + b"\r\n",
        b"GET /" + b"a/" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /%zz%00?%=&&&a HTTP/1.1\r\nHost: a\r\n\r\n",
    ))  # fmt: skip
    return HttpRequest("broken HTTP", "", "", raw=raw)


HTTP_MAKERS: tuple[Callable[[Random], HttpRequest], ...] = (
    infer_http, mangled_http, binary_http, raw_body_http, compressed_http, admin_http, form_http,
    broken_http,
)  # fmt: skip
