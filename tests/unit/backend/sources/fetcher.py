# SPDX-License-Identifier: Apache-2.0
"""A spool with a web source, and answers of faulty web servers."""

import socket
import struct

from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import Spool
from trireel_backend.sources.web import WebSource

VIDEO = bytes(range(256)) * 1000
LOOPBACK = parse_networks("127.0.0.0/8")


class Fetcher:
    """A spool and a web source, with the test's limits."""

    def __init__(self, folder, *, resolve=None, tls=None, **limits):
        self.folder = folder
        self.limits = SourceLimits(
            **{"allowed_networks": LOOPBACK, "timeout_seconds": 20.0, **limits}
        )
        self.spool = Spool(folder, self.limits)
        resolvers = {} if resolve is None else {"resolve": resolve}
        self.source = WebSource(self.limits, tls=tls, **resolvers)

    def __call__(self, uri):
        """Return the bytes of a URI, and check that no unfinished file is left."""
        deadline = Deadline(self.limits.timeout_seconds)

        def download(part, known_version):
            return self.source.download(uri, part, known_version, deadline)

        try:
            with self.spool.fetch(uri, download, deadline) as video:
                return video.path.read_bytes()
        finally:
            left = [path.name for path in self.folder.iterdir()]
            assert [name for name in left if name.startswith("part-") or "lock" in name] == []


def sequence(*answers):
    """Return an answer function that gives these answers in turn, then repeats the last one."""
    waiting = list(answers)
    return lambda handler: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)


def status(code, **headers):
    return lambda handler: handler.answer(code, b"sorry", **headers)


def redirect(location, code=302):
    return lambda handler: handler.answer(code, Location=location)


def broken_off(data, *, after, reset=False, etag='"v1"'):
    def answer(handler):
        handler.answer(200, data[:after], Content_Length=len(data), ETag=etag)
        if reset:
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()

    return answer
