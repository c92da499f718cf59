# SPDX-License-Identifier: Apache-2.0
"""The security headers of every answer."""

from collections.abc import Iterable

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Policy of what others have uploaded: no script of it runs, also if a browser opens it alone."""
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
PRIVATE = "no-store"
CHECKED = "no-cache"

Raw = tuple[bytes, bytes]


def with_headers(headers: Iterable[Raw], path: str, *, is_secure: bool) -> list[Raw]:
    """Return the headers of an answer with those of security; its own values stay."""
    found = list(headers)
    present = {name.lower() for name, _ in found}
    wanted = {**HEADERS, **(TLS_HEADERS if is_secure else {})}
    # The page's files keep their names: after an upgrade a browser must not mix old and new ones.
    wanted["Cache-Control"] = PRIVATE if path.startswith("/v1/") else CHECKED
    more = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]
    return found + [(name, value) for name, value in more if name not in present]
