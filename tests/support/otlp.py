# SPDX-License-Identifier: Apache-2.0
"""A receiver of OpenTelemetry traces, by OTLP over HTTP, on loopback."""

import base64
import gzip
import http.server
import json
from contextlib import contextmanager

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from support.serving import in_thread

IDS = ("traceId", "spanId", "parentSpanId")


class Traces:
    """What has arrived."""

    def __init__(self, url):
        self.url = url
        self.exports = []

    def spans(self):
        """Return all spans, as protobuf messages."""
        return [
            span
            for export in list(self.exports)
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def services(self):
        """Return the names of the services that have sent something."""
        return {
            attribute.value.string_value
            for export in list(self.exports)
            for resource in export.resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }


def decoded(body, headers):
    """Return an export: protobuf, or JSON, whose ids are hex where protobuf's JSON has base64."""
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if headers["Content-Type"] == "application/x-protobuf":
        return ExportTraceServiceRequest.FromString(body)
    assert headers["Content-Type"] == "application/json"
    export = json.loads(body)
    for resource in export["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in IDS:
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(export, ExportTraceServiceRequest())


@contextmanager
def receiver():
    """Run a receiver; what it cannot decode it refuses, and keeps as an error."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 404
            if self.path == "/v1/traces":
                traces.exports.append(decoded(body, self.headers))
                status = 200
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    traces = Traces(f"http://127.0.0.1:{server.server_address[1]}/v1/traces")
    with in_thread(server):
        yield traces
