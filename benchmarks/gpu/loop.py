# SPDX-License-Identifier: Apache-2.0
"""The machine's matrix rate, and the tower alone in a plain loop.

A process of its own in the environment with torch, started by `python -m benchmarks.gpu`. It prints
a line of JSON for each result.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common.towers import Size
from benchmarks.gpu.process import BATCHES, MOST_FRAMES, SIZES, read_options, report

SEED = 400
KNOWN_FRAMES = 16
MATRIX_SIDE = {"cuda": 8192, "cpu": 2048}
MATRIX_PRODUCTS = 20
WARM_PASSES = 3
TOWER_FILE, KNOWN_FILE, SETTINGS_FILE = "tower.pt2", "known.npz", "settings.json"
# torch's fused attention kernels; the fastest one depends on GPU, head width and release.
ATTENTION_KERNELS = ("flash", "cudnn", "mem_efficient")


def synchronize(device: str) -> None:
    """Wait until the device has finished its queue."""
    if device == "cuda":
        torch.cuda.synchronize()


def measure_matrix_rate(device: str) -> float:
    """Return the FLOP/s of one large product: bf16 on a GPU, fp32 on a CPU."""
    side = MATRIX_SIDE[device]
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    product = torch.empty_like(left)
    for _ in range(WARM_PASSES):
        torch.matmul(left, right, out=product)
    synchronize(device)
    began = time.perf_counter()
    for _ in range(MATRIX_PRODUCTS):
        torch.matmul(left, right, out=product)
    synchronize(device)
    return 2 * side**3 * MATRIX_PRODUCTS / (time.perf_counter() - began)


def set_attention_kernel(kernel: str) -> None:
    """Restrict torch's attention to one fused kernel; "any" lifts the restriction."""
    backend = torch.backends.cuda
    backend.enable_flash_sdp(kernel in ("flash", "any"))
    backend.enable_cudnn_sdp(kernel in ("cudnn", "any"))
    backend.enable_mem_efficient_sdp(kernel in ("mem_efficient", "any"))
    backend.enable_math_sdp(kernel == "any")


def attention_seconds(size: Size) -> dict[str, float]:
    """Return the time of each kernel that supports this tower's heads."""
    shape = (BATCHES[1], size.tokens, 3, size.heads, size.width // size.heads)
    packed = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    query, key, value = packed.permute(2, 0, 3, 1, 4).unbind()
    attention = torch.nn.functional.scaled_dot_product_attention
    seconds = {}
    for kernel in ATTENTION_KERNELS:
        set_attention_kernel(kernel)
        try:
            seconds[kernel] = seconds_a_pass(lambda: attention(query, key, value), 0.3, "cuda")
        except RuntimeError:
            continue  # not for this shape, or not on this GPU
    return seconds


def seconds_a_pass(run: Callable[[], Any], seconds: float, device: str) -> float:
    """Return the time of a call when many follow each other."""
    for _ in range(WARM_PASSES):
        run()
    synchronize(device)
    passes, began = 0, time.perf_counter()
    while True:
        run()
        passes += 1
        if device == "cuda" and passes % 8:
            continue  # the device works while further passes are queued
        synchronize(device)
        if time.perf_counter() - began >= seconds:
            return (time.perf_counter() - began) / passes


def write_tower(size: Size, device: str, path: Path) -> Any:
    """Write a tower with random weights as an exported program, and return its module."""
    from transformers import SiglipConfig, SiglipModel

    from trireel_export.siglip.vision import VisionTower
    from trireel_schema.metadata import Normalisation
    from trireel_schema.precision import Precision

    text = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 1, "bos_token_id": 0, "eos_token_id": 1}
    torch.manual_seed(SEED)
    with torch.device(device):  # a GPU draws half a billion random numbers at once
        model = SiglipModel(SiglipConfig(vision_config=size.vision, text_config=text))
    normalisation = Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    tower = VisionTower(model.vision_model, normalisation, Precision.BF16, fused_attention=True)
    for tensor in [*tower.parameters(), *tower.buffers()]:
        # Parts of one tensor and transposed tensors are not saved correctly from a GPU.
        tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
    example = torch.zeros(2, size.image_size_px, size.image_size_px, 3, dtype=torch.uint8)
    shapes = ({0: torch.export.Dim("N", min=1, max=MOST_FRAMES)},)
    with torch.no_grad():
        program = torch.export.export(
            tower.eval().to(device), (example.to(device),), dynamic_shapes=shapes
        )
    torch.export.save(program, path)
    return program.module()


def compiled(module: Any, frames: torch.Tensor, size: Size, device: str) -> tuple[Any, str]:
    """Return the compiled tower and its attention kernel: the fastest one that compiles."""
    kernels = ["any"]
    if device == "cuda":
        seconds = attention_seconds(size)
        report(attention_seconds=seconds)
        kernels = [*sorted(seconds, key=lambda name: seconds[name]), "any"]
    for kernel in kernels:
        set_attention_kernel(kernel)
        tower = torch.compile(module, dynamic=True)
        began = time.perf_counter()
        try:
            tower(frames[: BATCHES[0]].to(device))
            synchronize(device)
        except Exception as error:  # the errors of torch's compiler have no common base
            report(does_not_compile={"kernel": kernel, "error": f"{error!r}"[:300]})
            torch.compiler.reset()
            continue
        report(attention_kernel=kernel, compile_seconds=time.perf_counter() - began)
        return tower, kernel
    raise SystemExit("the tower does not compile with any attention kernel")


def loop_torch(size: Size, options: argparse.Namespace) -> None:
    """Measure the compiled tower, with frames on the device and with copies to it."""
    device, work = options.device, options.work
    torch.set_float32_matmul_precision("high")
    frames = random_frames(size, MOST_FRAMES)
    with torch.no_grad():
        module = write_tower(size, device, work / TOWER_FILE)
        write_known(frames, lambda part: module(part.to(device)).float().cpu().numpy(), work)
        tower, kernel = compiled(module, frames, size, device)
        settings = {"device": device, "kernel": kernel, "size": size.name}
        (work / SETTINGS_FILE).write_text(json.dumps(settings))
        for batch in BATCHES:
            host = frames[:batch].pin_memory() if device == "cuda" else frames[:batch]
            there = host.to(device)

            def with_copy(host: torch.Tensor = host) -> Any:
                return tower(host.to(device, non_blocking=True))

            plain = seconds_a_pass(lambda there=there: tower(there), options.seconds, device)
            copied = seconds_a_pass(with_copy, options.seconds, device)
            rates = {"frames_per_second": batch / plain}
            rates["with_copies_frames_per_second"] = batch / copied
            report(loop={"batch": batch, **rates})


def loop_onnxruntime(size: Size, options: argparse.Namespace) -> None:
    """Measure the bundled tower in the server's own session, without the server."""
    from trireel_backend.towers.settings import TowerSettings
    from trireel_backend.towers.tower import Tower

    tower = Tower(options.onnx, TowerSettings(threads=0, providers="CPUExecutionProvider"))
    frames = random_frames(size, MOST_FRAMES)
    write_known(frames, lambda part: tower.run(part.numpy()), options.work)
    for batch in BATCHES:
        part = frames[:batch].numpy()
        seconds = seconds_a_pass(lambda part=part: tower.run(part), options.seconds, "cpu")
        report(loop={"batch": batch, "frames_per_second": batch / seconds})


def random_frames(size: Size, count: int) -> torch.Tensor:
    """Return frames uint8 [count, S, S, 3], the same in every process."""
    shape = (count, size.image_size_px, size.image_size_px, 3)
    generator = torch.Generator().manual_seed(SEED)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def write_known(frames: torch.Tensor, run: Callable[[Any], Any], work: Path) -> None:
    """Write frames with the embeddings that the served tower is compared with."""
    known = frames[:KNOWN_FRAMES]
    np.savez(work / KNOWN_FILE, frames=known.numpy(), embeddings=np.asarray(run(known), np.float32))


def main() -> None:
    """Measure the machine, then the tower."""
    options = read_options(__doc__)
    report(torch=torch.__version__, cuda=torch.version.cuda)
    report(matrix_flops_per_second=measure_matrix_rate(options.device))
    loop = {"torch": loop_torch, "onnxruntime": loop_onnxruntime}[options.runtime]
    loop(SIZES[options.size], options)


if __name__ == "__main__":
    main()
