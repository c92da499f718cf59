# SPDX-License-Identifier: Apache-2.0
"""Videos by http:// and https://, from servers that are not trusted."""

import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpcore
import httpx

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    SourceRefused,
    Unavailable,
    VideoNotFound,
)
from trireel_backend.sources.addresses import Resolve, resolve_host
from trireel_backend.sources.codings import refuse_packed
from trireel_backend.sources.documents import HEAD_BYTES, refuse_document
from trireel_backend.sources.leases import Part
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.retries import TryAgain, retrying
from trireel_backend.sources.spool import Version
from trireel_backend.sources.transport import CheckedTransport

WEB_SCHEMES = ("http", "https")
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
DENIED = (401, 403, 407)
GONE = (404, 410)
PASSING = (408, 425, 429)  # and every 5xx
HEADERS = {"User-Agent": "trireel", "Accept": "*/*", "Accept-Encoding": "identity"}
SHOWN_CHARACTERS = 200
UNREACHED = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


@dataclass
class _Progress:
    """What one URI has given so far, over all attempts."""

    received: int = 0
    length: int | None = None
    """Of the whole video, where the server tells it."""
    version: Version | None = None

    def headers(self, known: Version | None) -> dict[str, str]:
        """Ask for the rest of what was begun, or for a version other than the known one."""
        if self.received and self.version is not None and (tag := _validator(self.version)):
            return {"Range": f"bytes={self.received}-", "If-Range": tag}
        known = _sendable(known or Version())
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        return {name: value for name, value in conditions.items() if value}


class WebSource:
    """Downloads over HTTP: no cookies, no credentials, no proxies, every address checked."""

    def __init__(
        self,
        limits: SourceLimits,
        *,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Args: `resolve` looks names up; `tls` says which certificates are good."""
        self._limits = limits
        self._resolve = resolve
        # SSL_CERT_FILE and SSL_CERT_DIR are the operator's; nothing else is taken from there.
        self._tls = tls if tls is not None else httpx.create_ssl_context()

    def download(
        self, uri: str, part: Part, known: Version | None, deadline: Deadline
    ) -> Version | None:
        """Write the video to `part`; None where it is still the `known` version.

        Raises:
            NotAVideo: it is a web page or a document.
            RequestError: why not.
        """
        progress = _Progress()
        for attempt in retrying(deadline):
            with attempt:
                return self._attempt(uri, part, known, progress, deadline)
        raise AssertionError("tenacity raises the last attempt's error")

    def _attempt(
        self, uri: str, part: Part, known: Version | None, progress: _Progress, deadline: Deadline
    ) -> Version | None:
        try:
            with self._opened(uri, progress.headers(known), deadline) as response:
                if response.status_code == 304 and known is not None and not progress.received:
                    return None
                _begin(response, part, progress)
                for data in response.iter_raw():
                    part.write_at(progress.received, data)
                    progress.received += len(data)
        except UNREACHED as error:
            if _is_about_the_certificate(error):
                raise Unavailable(
                    f"{shown(uri)} has no TLS connection to trust: {error}"
                ) from error
            raise TryAgain(
                f"{shown(uri)} broke off or did not answer ({progress.received} bytes came):"
                f" {error}"
            ) from error
        if progress.length not in (None, progress.received):
            raise TryAgain(
                f"{shown(uri)} gave {progress.received} of its {progress.length} bytes: try again"
                " later"
            )
        if not progress.received:
            raise InvalidInput(f"{shown(uri)} is empty: name a video")
        refuse_document(shown(uri), part.head(HEAD_BYTES))
        return progress.version

    @contextmanager
    def _opened(
        self, uri: str, headers: dict[str, str], deadline: Deadline
    ) -> Iterator[httpx.Response]:
        """Send the request, follow redirects, and yield an answer that has the video in it."""
        url = self._checked(_parsed(uri), uri)
        for _ in range(MOST_REDIRECTS + 1):
            request = httpx.Request("GET", url, headers={**HEADERS, **headers})
            # No httpx client, which would keep cookies and look into the environment; a transport
            # for each hop, so that every one of them is looked up and checked.
            with (
                self._transport(deadline) as transport,
                closing(transport.handle_request(request)) as response,
            ):
                if response.status_code not in REDIRECTS:
                    _check_status(response, uri)
                    yield response
                    return
                url = self._next_hop(url, response, uri)
        raise SourceRefused(
            f"{shown(uri)} was redirected more than {MOST_REDIRECTS} times: give the last URI"
        )

    def _transport(self, deadline: Deadline) -> CheckedTransport:
        return CheckedTransport(self._resolve, self._limits.allowed_networks, deadline, self._tls)

    def _next_hop(self, url: httpx.URL, response: httpx.Response, uri: str) -> httpx.URL:
        try:
            target = url.join(response.headers["Location"])
        except (KeyError, httpx.InvalidURL) as error:
            raise SourceRefused(f"{shown(uri)} was redirected to no usable URI") from error
        if url.scheme == "https" and target.scheme == "http":
            raise SourceRefused(
                f"{shown(uri)} was redirected from https to http: give an https URI"
            )
        return self._checked(target, uri)

    def _checked(self, url: httpx.URL, uri: str) -> httpx.URL:
        """Return the URL of one hop without its fragment; whether its address may be
        reached is looked at when it is connected to."""
        if url.scheme not in WEB_SCHEMES or url.scheme not in self._limits.schemes:
            raise SourceRefused(
                f"{shown(uri)} leads to scheme {url.scheme!r}: this server does not go there"
            )
        if not _host(url, uri) or (url.port is not None and not 0 < url.port < 65536):
            raise InvalidInput(f"{shown(uri)} names no host, or a port that cannot be")
        if url.userinfo:
            raise SourceRefused(f"{shown(uri)} holds a user name: leave credentials out of URIs")
        return url.copy_with(fragment=None)


def shown(uri: str) -> str:
    """Return a URI as messages may show it: without query and credentials, which may be secret."""
    bare = uri.split("?")[0].split("#")[0]
    scheme, _, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"[:SHOWN_CHARACTERS]


def _parsed(uri: str) -> httpx.URL:
    try:
        return httpx.URL(uri)
    except httpx.InvalidURL as error:
        raise InvalidInput(f"{shown(uri)} is not a usable URI: {error}") from error


def _host(url: httpx.URL, uri: str) -> str:
    try:
        return url.host  # which decodes "xn--..."
    except UnicodeError as error:
        raise InvalidInput(f"{shown(uri)} leads to a host name that cannot be: {error}") from error


def _is_about_the_certificate(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__context__  # httpcore raises its own `from None`
    return error is not None


def _validator(version: Version) -> str:
    """Return what says that two answers are parts of one and the same file."""
    version = _sendable(version)
    weak = version.etag.startswith("W/")
    return version.etag if version.etag and not weak else version.last_modified


def _sendable(version: Version) -> Version:
    """Return a version without what cannot be sent back as it came: httpx sends ASCII."""
    etag, last_modified = version.etag, version.last_modified
    return Version(etag if etag.isascii() else "", last_modified if last_modified.isascii() else "")


def _check_status(response: httpx.Response, uri: str) -> None:
    status = response.status_code
    answered = f"{shown(uri)} answered {status}"
    if status in GONE:
        raise VideoNotFound(f"{answered}: there is no such video")
    if status in DENIED:
        raise AccessDenied(f"{answered}: it is not given to this server; send a signed URI")
    if status in PASSING or status >= 500:
        raise TryAgain(f"{answered}: try again later", after_seconds=_retry_after(response))
    if status not in (200, 206, 304, 416):
        raise InvalidInput(f"{answered}: a video comes with 200")


def _retry_after(response: httpx.Response) -> float:
    return float(_number(response.headers.get("Retry-After", "")) or 0)


def _begin(response: httpx.Response, part: Part, progress: _Progress) -> None:
    """Check an answer's head against what was received before, and reserve its room."""
    refuse_packed(response.headers.get("Content-Encoding", ""))
    if progress.received and _goes_on(response, progress):
        progress.length = progress.length or _range_of(response)[1]
        return
    progress.received, progress.length, progress.version = 0, None, None
    part.begin_again()
    if response.status_code != 200:
        raise TryAgain(f"the source answered {response.status_code} to another range than asked")
    progress.version = Version(
        response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    )
    if "Transfer-Encoding" in response.headers:
        return  # Content-Length means nothing beside it
    progress.length = _number(response.headers.get("Content-Length", ""))
    if progress.length is not None:
        part.reserve(progress.length)


def _goes_on(response: httpx.Response, progress: _Progress) -> bool:
    """Say whether an answer is the rest of what was begun, or some of it."""
    first, length = _range_of(response)
    of_the_same = progress.length is None or length in (None, progress.length)
    return response.status_code == 206 and first == progress.received and of_the_same


def _range_of(response: httpx.Response) -> tuple[int | None, int | None]:
    """Return the 5 and the 100 of "Content-Range: bytes 5-9/100"."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    if unit != "bytes":
        return None, None
    return _number(span.partition("-")[0]), _number(span.partition("/")[2])


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
