# SPDX-License-Identifier: Apache-2.0
"""The smallest `triton_python_backend_utils` that a model.py can run on: the suite's one fake."""

import asyncio
import json
import threading
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

START, END, FINAL = 1, 2, 1


class Tensor:
    def __init__(self, name: str, array: NDArray[Any]) -> None:
        self._name, self._array = name, array

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> NDArray[Any]:
        return self._array


class TritonError(Exception):
    INTERNAL, INVALID_ARG, NOT_FOUND, UNSUPPORTED, UNAVAILABLE, CANCELLED = range(6)

    def __init__(self, message: str, code: int = INTERNAL) -> None:
        super().__init__(message)
        self._code = code

    def message(self) -> str:
        return str(self)

    def code(self) -> int:
        return self._code


class InferenceResponse:
    def __init__(self, output_tensors: Any = (), error: TritonError | None = None) -> None:
        self._tensors, self._error = list(output_tensors), error

    def has_error(self) -> bool:
        return self._error is not None

    def error(self) -> TritonError | None:
        return self._error

    def output_tensors(self) -> list[Tensor]:
        return self._tensors

    def arrays(self) -> dict[str, NDArray[Any]]:
        assert self._error is None, self._error
        return {tensor.name(): tensor.as_numpy() for tensor in self._tensors}


class TritonModelException(Exception):
    pass


class Series:
    """A metric with its labels, which keeps what it was told."""

    def __init__(self, labels: dict[str, str], buckets: list[float] | None) -> None:
        self.labels, self.buckets = labels, buckets
        self.value, self.observed = 0.0, list[float]()
        self.broken = False

    def increment(self, amount: float) -> None:
        self.set(self.value + amount)

    def set(self, amount: float) -> None:
        if self.broken:
            raise TritonModelException("the parent does not answer")
        self.value = amount

    def observe(self, amount: float) -> None:
        self.observed.append(amount)


class MetricFamily:
    COUNTER, GAUGE, HISTOGRAM = range(3)
    made: ClassVar[dict[str, "MetricFamily"]] = {}

    def __init__(self, name: str, description: str, kind: int) -> None:
        self.kind = kind
        self.series: list[Series] = []
        self.made[name] = self

    def Metric(  # noqa: N802
        self, labels: dict[str, str], buckets: list[float] | None = None
    ) -> Series:
        self.series.append(Series(labels, buckets))
        return self.series[-1]


class Sender:
    def __init__(self) -> None:
        self.sent: list[tuple[InferenceResponse | None, int]] = []
        self.cancelled = self.closed = False
        self.has_room = True

    def send(self, response: InferenceResponse | None = None, flags: int = 0) -> None:
        """As in Triton, a flag is taken note of before the response finds its memory."""
        if self.closed:
            raise TritonModelException("Response sender has been closed.")
        self.closed = flags == FINAL
        if response is not None and not self.has_room:
            raise TritonModelException("Failed to increase the shared memory pool size")
        self.sent.append((response, flags))

    def is_cancelled(self) -> bool:
        return self.cancelled


class InferenceRequest:
    """A request as a model receives it."""

    def __init__(
        self,
        arrays: dict[str, Any],
        *,
        correlation_id: int | str = 0,
        flags: int = 0,
        outputs: tuple[str, ...] = (),
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.arrays = {name: np.asarray(value) for name, value in arrays.items()}
        self._correlation_id, self._flags, self._outputs = correlation_id, flags, outputs
        self._parameters = json.dumps(parameters or {})
        self.sender = Sender()

    def correlation_id(self) -> int | str:
        return self._correlation_id

    def flags(self) -> int:
        return self._flags

    def requested_output_names(self) -> list[str]:
        return list(self._outputs)

    def parameters(self) -> str:
        return self._parameters

    def trace(self) -> None:
        return None

    def is_cancelled(self) -> bool:
        return self.sender.cancelled

    def get_response_sender(self) -> Sender:
        return self.sender


class OutgoingRequest(InferenceRequest):
    """A request from a model to one of `models`, which answers in another thread."""

    models: ClassVar[dict[str, Any]] = {}
    _executing = threading.Lock()  # an instance is handed requests one after the other

    def __init__(
        self,
        *,
        model_name: str,
        requested_output_names: list[str],
        inputs: list[Tensor],
        **options: Any,
    ) -> None:
        arrays = {tensor.name(): tensor.as_numpy() for tensor in inputs}
        super().__init__(arrays, outputs=tuple(requested_output_names), **options)
        self._model = self.models[model_name]

    async def async_exec(self) -> InferenceResponse:
        return await asyncio.to_thread(self._execute)

    def _execute(self) -> InferenceResponse:
        with self._executing:
            (response,) = self._model.execute([self])
        return response  # type: ignore[no-any-return]


def make_module(logged: list[str]) -> ModuleType:
    """Return the module; what models log as errors goes to `logged`."""
    module: Any = ModuleType("triton_python_backend_utils")
    module.Tensor = Tensor
    module.TritonError = TritonError
    module.TritonModelException = TritonModelException
    module.MetricFamily = type("MetricFamily", (MetricFamily,), {"made": {}})
    module.InferenceResponse = InferenceResponse
    module.InferenceRequest = type("InferenceRequest", (OutgoingRequest,), {"models": {}})
    module.Logger = SimpleNamespace(log_error=logged.append, log_warn=logged.append)
    module.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START = START
    module.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END = END
    module.TRITONSERVER_RESPONSE_COMPLETE_FINAL = FINAL

    def get_input_tensor_by_name(request: InferenceRequest, name: str) -> Tensor | None:
        return Tensor(name, request.arrays[name]) if name in request.arrays else None

    module.get_input_tensor_by_name = get_input_tensor_by_name
    return module
