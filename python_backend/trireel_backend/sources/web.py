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
from trireel_backend.sources.codings import reject_compressed
from trireel_backend.sources.documents import HEAD_BYTES, reject_document
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
TEMPORARY = (408, 425, 429)  # and every 5xx
HEADERS = {"User-Agent": "trireel", "Accept": "*/*", "Accept-Encoding": "identity"}
SHOWN_CHARACTERS = 200
UNREACHED = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


@dataclass
class _Progress:
    """The bytes that one URI has delivered so far, over all attempts."""

    received: int = 0
    """Number of bytes received."""
    length: int | None = None
    """Length of the whole video in bytes; None if the server does not state it."""
    version: Version | None = None
    """Version of the video that the bytes belong to."""

    def headers(self, known_version: Version | None) -> dict[str, str]:
        """Return headers that request the rest of the video, or a version other than the known."""
        if self.received and self.version is not None and (tag := _validator(self.version)):
            return {"Range": f"bytes={self.received}-", "If-Range": tag}
        version = _sendable(known_version or Version())
        conditions = {"If-None-Match": version.etag, "If-Modified-Since": version.last_modified}
        return {name: value for name, value in conditions.items() if value}


class WebSource:
    """Downloads over HTTP without cookies, credentials or proxies; every address is checked."""

    def __init__(
        self,
        limits: SourceLimits,
        *,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Create a source.

        Args:
            resolve: looks up host names.
            tls: TLS settings; None to trust the system's authorities.
        """
        self._limits = limits
        self._resolve = resolve
        # This reads SSL_CERT_FILE and SSL_CERT_DIR, and no other environment variable.
        self._tls = tls if tls is not None else httpx.create_ssl_context()

    def download(
        self, uri: str, part: Part, known_version: Version | None, deadline: Deadline
    ) -> Version | None:
        """Write the video to `part`; return its version, None if it is still `known_version`.

        Raises:
            NotAVideo: if it is a web page or a document.
            RequestError: if it cannot be fetched.
        """
        progress = _Progress()
        for attempt in retrying(deadline):
            with attempt:
                return self._attempt(uri, part, known_version, progress, deadline)
        raise AssertionError("tenacity raises the last attempt's error")

    def _attempt(
        self,
        uri: str,
        part: Part,
        known_version: Version | None,
        progress: _Progress,
        deadline: Deadline,
    ) -> Version | None:
        try:
            with self._open(uri, progress.headers(known_version), deadline) as response:
                unchanged = response.status_code == 304 and not progress.received
                if unchanged and known_version is not None:
                    return None
                _start_body(response, part, progress)
                for data in response.iter_raw():
                    part.write_at(progress.received, data)
                    progress.received += len(data)
        except UNREACHED as error:
            if _is_certificate_error(error):
                raise Unavailable(
                    f"{redacted(uri)} has no certificate that this server trusts: {error}"
                ) from error
            raise TryAgain(
                f"{redacted(uri)} broke off or did not answer (received {progress.received} bytes):"
                f" {error}"
            ) from error
        if progress.length not in (None, progress.received):
            raise TryAgain(
                f"{redacted(uri)} sent {progress.received} of its {progress.length} bytes:"
                " try again later"
            )
        if not progress.received:
            raise InvalidInput(f"{redacted(uri)} is empty: name a video")
        reject_document(redacted(uri), part.head(HEAD_BYTES))
        return progress.version

    @contextmanager
    def _open(
        self, uri: str, headers: dict[str, str], deadline: Deadline
    ) -> Iterator[httpx.Response]:
        """Send the request, follow redirects, and yield the response with the video."""
        url = self._checked_hop(_parse(uri), uri)
        for _ in range(MOST_REDIRECTS + 1):
            request = httpx.Request("GET", url, headers={**HEADERS, **headers})
            # A transport instead of an httpx client, which would keep cookies and use the
            # environment; a new one for each hop, so that every host is looked up and checked.
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
            f"{redacted(uri)} was redirected more than {MOST_REDIRECTS} times: give the last URI"
        )

    def _transport(self, deadline: Deadline) -> CheckedTransport:
        return CheckedTransport(self._resolve, self._limits.allowed_networks, deadline, self._tls)

    def _next_hop(self, url: httpx.URL, response: httpx.Response, uri: str) -> httpx.URL:
        try:
            target = url.join(response.headers["Location"])
        except (KeyError, httpx.InvalidURL) as error:
            raise SourceRefused(f"{redacted(uri)} was redirected to an invalid URI") from error
        if url.scheme == "https" and target.scheme == "http":
            raise SourceRefused(
                f"{redacted(uri)} was redirected from https to http: give an https URI"
            )
        return self._checked_hop(target, uri)

    def _checked_hop(self, url: httpx.URL, uri: str) -> httpx.URL:
        """Return the URL of one hop without its fragment, after checking all but its address.

        The address is checked at the time of the connection.
        """
        if url.scheme not in WEB_SCHEMES or url.scheme not in self._limits.schemes:
            raise SourceRefused(
                f"{redacted(uri)} leads to scheme {url.scheme!r}: this server does not fetch it"
            )
        if not _host(url, uri) or (url.port is not None and not 0 < url.port < 65536):
            raise InvalidInput(f"{redacted(uri)} names no host, or an invalid port")
        if url.userinfo:
            raise SourceRefused(f"{redacted(uri)} holds a user name: leave credentials out of URIs")
        return url.copy_with(fragment=None)


def redacted(uri: str) -> str:
    """Return a URI for messages: without query and credentials, which may be secret."""
    public = uri.split("?")[0].split("#")[0]
    scheme, _, rest = public.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"[:SHOWN_CHARACTERS]


def _parse(uri: str) -> httpx.URL:
    try:
        return httpx.URL(uri)
    except httpx.InvalidURL as error:
        raise InvalidInput(f"{redacted(uri)} is not a usable URI: {error}") from error


def _host(url: httpx.URL, uri: str) -> str:
    try:
        return url.host  # decodes "xn--..."
    except UnicodeError as error:
        raise InvalidInput(f"{redacted(uri)} leads to an invalid host name: {error}") from error


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__context__  # httpcore raises its own error `from None`
    return error is not None


def _validator(version: Version) -> str:
    """Return the validator that proves that two responses are parts of the same file, or ""."""
    version = _sendable(version)
    weak = version.etag.startswith("W/")
    return version.etag if version.etag and not weak else version.last_modified


def _sendable(version: Version) -> Version:
    """Return a version without validators that httpx cannot send back, as they are not ASCII."""
    etag, last_modified = version.etag, version.last_modified
    return Version(etag if etag.isascii() else "", last_modified if last_modified.isascii() else "")


def _check_status(response: httpx.Response, uri: str) -> None:
    status = response.status_code
    answer = f"{redacted(uri)} answered {status}"
    if status in GONE:
        raise VideoNotFound(f"{answer}: there is no such video")
    if status in DENIED:
        raise AccessDenied(f"{answer}: the source denies this server access; send a signed URI")
    if status in TEMPORARY or status >= 500:
        raise TryAgain(f"{answer}: try again later", after_seconds=_retry_after(response))
    if status not in (200, 206, 304, 416):
        raise InvalidInput(f"{answer}: a video must come with status 200")


def _retry_after(response: httpx.Response) -> float:
    return float(_number(response.headers.get("Retry-After", "")) or 0)


def _start_body(response: httpx.Response, part: Part, progress: _Progress) -> None:
    """Check a response's headers against earlier attempts, and reserve space for its body."""
    reject_compressed(response.headers.get("Content-Encoding", ""))
    if progress.received and _continues(response, progress):
        progress.length = progress.length or _range_of(response)[1]
        return
    progress.received, progress.length, progress.version = 0, None, None
    part.restart()
    if response.status_code != 200:
        raise TryAgain(
            f"the source answered {response.status_code} instead of 200 or the requested range"
        )
    progress.version = Version(
        response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    )
    if "Transfer-Encoding" in response.headers:
        return  # Content-Length has no meaning then
    progress.length = _number(response.headers.get("Content-Length", ""))
    if progress.length is not None:
        part.reserve(progress.length)


def _continues(response: httpx.Response, progress: _Progress) -> bool:
    """Return whether a response holds the bytes that follow the received ones."""
    first, length = _range_of(response)
    same_length = progress.length is None or length in (None, progress.length)
    return response.status_code == 206 and first == progress.received and same_length


def _range_of(response: httpx.Response) -> tuple[int | None, int | None]:
    """Return the 5 and the 100 of "Content-Range: bytes 5-9/100"."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    if unit != "bytes":
        return None, None
    return _number(span.partition("-")[0]), _number(span.partition("/")[2])


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
