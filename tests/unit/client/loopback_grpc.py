# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - the methods are named by the protocol
"""A real gRPC server on loopback that speaks KServe v2 and answers by a script."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc as pb_grpc
from tritonclient.utils import (
    deserialize_bytes_tensor,
    np_to_triton_dtype,
    serialize_byte_tensor,
    triton_to_np_dtype,
)
from unit.client.scripted import Asked, Refused, Script, ServerTls, Tensors


class Servicer(pb_grpc.GRPCInferenceServiceServicer):
    """The part of the protocol a client of ours uses."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def ServerMetadata(self, request, context):
        return pb.ServerMetadataResponse(
            name="triton", version="2.51.0", extensions=["sequence", "binary_tensor_data"]
        )

    def ServerReady(self, request, context):
        return pb.ServerReadyResponse(ready=self.script.ready)

    def ModelReady(self, request, context):
        if request.name not in self.script.models_ready:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.name!r}")
        return pb.ModelReadyResponse(ready=self.script.models_ready[request.name])

    def ModelConfig(self, request, context):
        if isinstance(self.script.parameters, Refused):
            _abort(context, self.script.parameters)
        response = pb.ModelConfigResponse()
        for name, value in self.script.parameters.items():
            response.config.parameters[name].string_value = value
        return response

    def ModelInfer(self, request, context):
        context.add_callback(lambda: context.is_active() or self.script.cancelled.set())
        try:
            return _response(self.script.answer(_asked(request, context)))
        except Refused as refused:
            _abort(context, refused)

    def ModelStreamInfer(self, request_iterator, context):
        context.add_callback(self.script.cancelled.set)
        request = next(request_iterator)
        wants_final = "triton_enable_empty_final_response" in request.parameters
        try:
            for tensors in self.script.answer(_asked(request, context)):
                response = pb.ModelStreamInferResponse()
                response.infer_response.CopyFrom(_response(tensors))
                yield response
        except Refused as refused:
            _abort(context, refused)
        if wants_final:
            final = pb.ModelStreamInferResponse()
            final.infer_response.parameters["triton_final_response"].bool_param = True
            yield final
            next(request_iterator, None)  # as the server does, wait for the client's end


@contextmanager
def grpc_server(script: Script, tls: ServerTls | None = None) -> Iterator[str]:
    """Serve a script; yields HOST:PORT."""
    server = grpc.server(ThreadPoolExecutor(8))
    pb_grpc.add_GRPCInferenceServiceServicer_to_server(Servicer(script), server)
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", _credentials(tls))
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        script.go_on.set()
        server.stop(grace=None).wait()


def _credentials(tls: ServerTls) -> grpc.ServerCredentials:
    own = tls.own.key.read_bytes(), tls.own.certificate.read_bytes()
    clients = tls.clients.read_bytes() if tls.clients else None
    return grpc.ssl_server_credentials([own], clients, tls.clients is not None)


def _abort(context: grpc.ServicerContext, refused: Refused) -> None:
    context.set_trailing_metadata(tuple(refused.headers.items()))
    context.set_trailing_metadata(tuple(refused.headers.items()))
    context.abort(grpc.StatusCode[refused.grpc_code], str(refused))


def _asked(request: Any, context: grpc.ServicerContext) -> Asked:
    inputs = {
        tensor.name: _array(tensor.datatype, raw).reshape(tuple(tensor.shape))
        for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
    }
    return Asked(
        model=request.model_name,
        inputs=inputs,
        outputs=[output.name for output in request.outputs],
        request_id=request.id,
        parameters={name: _parameter(value) for name, value in request.parameters.items()},
        headers=dict(context.invocation_metadata()),
    )


def _parameter(value: Any) -> Any:
    return getattr(value, value.WhichOneof("parameter_choice"))


def _response(tensors: Tensors) -> pb.ModelInferResponse:
    response = pb.ModelInferResponse()
    for name, array in tensors.items():
        response.outputs.add(name=name, datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
        response.raw_output_contents.append(raw_of(array))
    return response


def _array(datatype: str, raw: bytes) -> np.ndarray:
    if datatype == "BYTES":
        return deserialize_bytes_tensor(raw)
    return np.frombuffer(raw, triton_to_np_dtype(datatype))


def raw_of(array: np.ndarray) -> bytes:
    """Return an array as it travels."""
    if array.dtype == np.object_:
        return serialize_byte_tensor(array).item() if array.size else b""
    return array.tobytes()
