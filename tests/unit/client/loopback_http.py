# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on loopback that speaks just enough KServe v2 and answers by a script."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from support.serving import in_thread
from tritonclient.utils import deserialize_bytes_tensor, np_to_triton_dtype, triton_to_np_dtype
from unit.client.loopback_grpc import raw_of
from unit.client.scripted import Asked, Refused, Script, ServerTls, Tensors

HEADER_LENGTH = "Inference-Header-Content-Length"


class Handler(BaseHTTPRequestHandler):
    """The part of the protocol a client of ours uses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    script: Script

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["v2"]:
                self._json(200, {"name": "triton", "version": "2.51.0", "extensions": ["sequence"]})
            case ["v2", "health", "ready"]:
                self._json(200 if self.script.ready else 400, {})
            case ["v2", "models", model, "ready"]:
                self._json(200 if self.script.models_ready.get(model) else 400, {})
            case ["v2", "models", _, "config"]:
                self._config()
            case _:
                self._json(404, {"error": "no such page"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        header_length = int(self.headers.get(HEADER_LENGTH, len(body)))
        model = self.path.split("/")[-2]
        asked = _asked(model, json.loads(body[:header_length]), body[header_length:], self.headers)
        try:
            self._tensors(self.script.answer(asked))
        except Refused as refused:
            self._json(refused.http_status, {"error": str(refused)}, refused.headers)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def _config(self) -> None:
        parameters = self.script.parameters
        if isinstance(parameters, Refused):
            self._json(parameters.http_status, {"error": str(parameters)})
            return
        listed = {name: {"string_value": value} for name, value in parameters.items()}
        self._json(200, {"parameters": listed})

    def _tensors(self, tensors: Tensors) -> None:
        raws = {name: raw_of(array) for name, array in tensors.items()}
        outputs = [
            {
                "name": name,
                "datatype": np_to_triton_dtype(array.dtype),
                "shape": list(array.shape),
                "parameters": {"binary_data_size": len(raws[name])},
            }
            for name, array in tensors.items()
        ]
        header = json.dumps({"outputs": outputs}).encode()
        self._send(200, header + b"".join(raws.values()), {HEADER_LENGTH: str(len(header))})

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), headers or {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Does not mind clients that have gone."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def http_server(script: Script, tls: ServerTls | None = None) -> Iterator[str]:
    """Serve a script; yields HOST:PORT."""
    server = Server(("127.0.0.1", 0), type("ScriptedHandler", (Handler,), {"script": script}))
    if tls is not None:
        # The handshake is each connection's own thread's: one that hangs keeps no other waiting.
        server.socket = _context(tls).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with in_thread(server):
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            script.go_on.set()


def _context(tls: ServerTls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.own.certificate, tls.own.key)
    if tls.clients is not None:
        context.load_verify_locations(tls.clients)
        context.verify_mode = ssl.CERT_REQUIRED
    if tls.newest is not None:
        context.maximum_version = tls.newest
    return context


def _asked(model: str, header: Any, binary: bytes, headers: Any) -> Asked:
    inputs: Tensors = {}
    offset = 0
    for tensor in header["inputs"]:
        size = tensor["parameters"]["binary_data_size"]
        raw = binary[offset : offset + size]
        offset += size
        if tensor["datatype"] == "BYTES":
            array = deserialize_bytes_tensor(raw)
        else:
            array = np.frombuffer(raw, triton_to_np_dtype(tensor["datatype"]))
        inputs[tensor["name"]] = array.reshape(tensor["shape"])
    return Asked(
        model=model,
        inputs=inputs,
        outputs=[output["name"] for output in header.get("outputs", [])],
        request_id=header.get("id", ""),
        parameters=header.get("parameters", {}),
        headers={name.lower(): value for name, value in headers.items()},
    )
