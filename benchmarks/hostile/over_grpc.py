# SPDX-License-Identifier: Apache-2.0
"""Random requests over gRPC: inference, streams, admin APIs, broken messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import service_pb2

from benchmarks.hostile.values import MODELS, TENSORS, TYPES, WORDS, Random, parameters, shape


@dataclass(frozen=True)
class GrpcRequest:
    """A request over gRPC."""

    extension: str
    """The part of the protocol that it uses."""
    method: str
    """Name of the service's method."""
    messages: list[bytes]
    """Serialized messages: one, or several of ModelStreamInfer."""


def infer_message(rng: Random) -> Any:
    """Return a random ModelInferRequest."""
    message = service_pb2.ModelInferRequest(model_name=rng.choice(MODELS), id=rng.choice(WORDS))
    message.model_version = rng.choice(("", "1", "-1", "x"))
    for holder in (message, *_tensors(rng, message)):
        for name, content in parameters(rng).items():
            _set_parameter(rng, holder.parameters[name], content)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        message.raw_input_contents.append(rng.randbytes(rng.choice((0, 1, 4, 8, 4096))))
    return message


def _tensors(rng: Random, message: Any) -> list[Any]:
    tensors = []
    for _ in range(rng.choice((0, 1, 1, 2))):
        dims = [n for n in shape(rng) if isinstance(n, int) and -(2**63) <= n < 2**63]
        tensor = message.inputs.add(
            name=rng.choice(TENSORS), datatype=rng.choice(TYPES), shape=dims
        )
        if rng.random() < 0.5:
            tensor.contents.bytes_contents.append(b"none.mp4")
        if rng.random() < 0.2:
            tensor.contents.fp32_contents.extend([0.5] * 8)
        tensors.append(tensor)
    if rng.random() < 0.4:
        tensors.append(message.outputs.add(name=rng.choice(TENSORS)))
    return tensors


def _set_parameter(rng: Random, parameter: Any, content: Any) -> None:
    if isinstance(content, bool):
        parameter.bool_param = content
    elif isinstance(content, int) and -(2**63) <= content < 2**63:
        parameter.int64_param = content
    elif isinstance(content, float):
        parameter.double_param = content
    else:
        parameter.string_param = rng.choice(WORDS)


def infer_grpc(rng: Random) -> GrpcRequest:
    """Return an inference, or a stream of up to four."""
    if rng.random() < 0.5:
        return GrpcRequest("inference", "ModelInfer", [infer_message(rng).SerializeToString()])
    messages = [infer_message(rng).SerializeToString() for _ in range(rng.randrange(5))]
    return GrpcRequest("streams", "ModelStreamInfer", messages)


def admin_grpc(rng: Random) -> GrpcRequest:
    """Return a call of another method, with a message that has a name, or random bytes."""
    method = rng.choice((
        "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload", "TraceSetting",
        "SystemSharedMemoryStatus", "SystemSharedMemoryRegister", "SystemSharedMemoryUnregister",
        "CudaSharedMemoryStatus", "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister",
        "LogSettings", "ModelStatistics", "ModelConfig", "ModelMetadata", "ModelReady",
        "ServerMetadata", "ServerLive", "ServerReady",
    ))  # fmt: skip
    named = service_pb2.ModelConfigRequest(
        name=rng.choice(MODELS), version=rng.choice(("", "1", "x"))
    )
    message = rng.choice((named.SerializeToString(), b"", rng.randbytes(40)))
    return GrpcRequest("admin, statistics", method, [message])


def mangled_grpc(rng: Random) -> GrpcRequest:
    """Return an inference whose bytes are changed."""
    data = bytearray(infer_message(rng).SerializeToString() or b"\0")
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return GrpcRequest("broken messages", "ModelInfer", [bytes(data)])


GRPC_MAKERS: tuple[Callable[[Random], GrpcRequest], ...] = (
    infer_grpc,
    infer_grpc,
    admin_grpc,
    mangled_grpc,
)
