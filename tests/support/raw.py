# SPDX-License-Identifier: Apache-2.0
"""Triton's own clients, to send what ours would not and to see every tensor."""

import queue

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

PATIENCE_SECONDS = 60
GRPC_STATUS = {
    400: "StatusCode.INVALID_ARGUMENT",
    404: "StatusCode.NOT_FOUND",
    501: "StatusCode.UNIMPLEMENTED",
    503: "StatusCode.UNAVAILABLE",
}


class Raw:
    """Either of Triton's own clients, to send what ours would not."""

    def __init__(self, server, protocol):
        self.protocol = protocol
        self._module = tritonclient.grpc if protocol == "grpc" else tritonclient.http
        self._client = self._module.InferenceServerClient(server.url(protocol))

    def infer(self, model, inputs, **sequence):
        return self._client.infer(model, self._tensors(inputs), **sequence)

    def stream(self, model, inputs, *, count):
        """Return the responses of a decoupled model, by gRPC, of which there are `count`."""
        responses = queue.Queue()
        self._client.start_stream(lambda result, error: responses.put((result, error)))
        try:
            self._client.async_stream_infer(model, self._tensors(inputs))
            answers = [responses.get(timeout=PATIENCE_SECONDS) for _ in range(count)]
        finally:
            self._client.stop_stream()
        assert [error for _, error in answers if error is not None] == []
        return [result for result, _ in answers]

    def _tensors(self, inputs):
        tensors = []
        for name, (kind, value) in inputs.items():
            array = np.asarray(value)
            tensor = self._module.InferInput(name, list(array.shape), kind)
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        return tensors

    def refused(self, status, model, inputs, **sequence):
        """Return the message of a refusal, having checked its status."""
        with pytest.raises(InferenceServerException) as raised:
            self.infer(model, inputs, **sequence)
        expected = GRPC_STATUS[status] if self.protocol == "grpc" else str(status)
        assert raised.value.status() == expected, raised.value.message()
        return raised.value.message()

    def close(self):
        self._client.close()


def texts(*values):
    return "BYTES", np.array([v if isinstance(v, bytes) else v.encode() for v in values], object)


def video(name, **inputs):
    return {"VIDEO": texts(name), **inputs}


def number(kind, value):
    dtype = {"INT32": np.int32, "FP64": np.float64, "FP32": np.float32, "BOOL": np.bool_}[kind]
    return kind, np.array(value if isinstance(value, list) else [value], dtype)
