# SPDX-License-Identifier: Apache-2.0
"""The machine's matrix rate, and the tower alone in a plain loop: what serving is compared with.

A process of its own, started by `python -m benchmarks.gpu`: it wants the environment with torch.
What it finds goes to standard output, a JSON object a line, as soon as it is known.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.lines import tell
from benchmarks.gpu.sizes import BATCHES, MOST_FRAMES, SIZES, Size

SEED = 400
KNOWN_FRAMES = 16
MATRIX_SIDE = {"cuda": 8192, "cpu": 2048}
MATRIX_PRODUCTS = 20
WARM_PASSES = 3
TOWER_FILE, KNOWN_FILE, SETTINGS_FILE = "tower.pt2", "known.npz", "settings.json"
# torch's fused attention kernels; which is fastest depends on GPU, head width and release.
ATTENTION_KERNELS = ("flash", "cudnn", "mem_efficient")


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def measure_matrix_rate(device: str) -> float:
    """Return the FLOP/s of one large product: bf16 on a GPU, fp32 on a CPU."""
    side = MATRIX_SIDE[device]
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    product = torch.empty_like(one)
    for _ in range(WARM_PASSES):
        torch.matmul(one, other, out=product)
    synchronize(device)
    began = time.perf_counter()
    for _ in range(MATRIX_PRODUCTS):
        torch.matmul(one, other, out=product)
    synchronize(device)
    return 2 * side**3 * MATRIX_PRODUCTS / (time.perf_counter() - began)


def set_attention_kernel(kernel: str) -> None:
    """Let torch's attention use one fused kernel, or what it likes for "any"."""
    backend = torch.backends.cuda
    switches = {
        "flash": backend.enable_flash_sdp,
        "cudnn": backend.enable_cudnn_sdp,
        "mem_efficient": backend.enable_mem_efficient_sdp,
        "math": backend.enable_math_sdp,
    }
    for name, enable in switches.items():
        enable(kernel in (name, "any"))


def attention_seconds(size: Size) -> dict[str, float]:
    """Return how long each kernel that works takes for this tower's heads."""
    shape = (BATCHES[1], size.tokens, 3, size.heads, size.width // size.heads)
    packed = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    query, key, value = packed.permute(2, 0, 3, 1, 4).unbind()
    seconds = {}
    for kernel in ATTENTION_KERNELS:
        set_attention_kernel(kernel)
        try:
            seconds[kernel] = seconds_a_pass(
                lambda: torch.nn.functional.scaled_dot_product_attention(query, key, value), 0.3
            )
        except RuntimeError:
            continue  # not for this shape, or not on this GPU
    return seconds


def seconds_a_pass(run: Callable[[], Any], seconds: float, device: str = "cuda") -> float:
    """Return how long a call takes when many follow each other."""
    for _ in range(WARM_PASSES):
        run()
    synchronize(device)
    passes, began = 0, time.perf_counter()
    while True:
        run()
        passes += 1
        if device == "cuda" and passes % 8:
            continue  # let the device work while the next ones are queued
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
    with torch.device(device):  # half a billion random numbers are nothing to a GPU
        model = SiglipModel(SiglipConfig(vision_config=size.vision, text_config=text))
    tower = VisionTower(
        model.vision_model,
        Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        Precision.BF16,
        fused_attention=True,
    )
    for tensor in [*tower.parameters(), *tower.buffers()]:
        # Parts of one tensor, or a transposed one, are not saved well from a GPU.
        tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
    example = torch.zeros(2, size.image_size_px, size.image_size_px, 3, dtype=torch.uint8)
    with torch.no_grad():
        program = torch.export.export(
            tower.eval().to(device),
            (example.to(device),),
            dynamic_shapes=({0: torch.export.Dim("N", min=1, max=MOST_FRAMES)},),
        )
    torch.export.save(program, path)
    return program.module()


def compiled(module: Any, frames: torch.Tensor, arguments: argparse.Namespace) -> tuple[Any, str]:
    """Return the compiled tower, and the attention kernel it has: the fastest one that compiles."""
    device, kernels = arguments.device, ["any"]
    if device == "cuda":
        seconds = attention_seconds(SIZES[arguments.size])
        tell(attention_seconds=seconds)
        kernels = [*sorted(seconds, key=lambda name: seconds[name]), "any"]
    for kernel in kernels:
        set_attention_kernel(kernel)
        tower = torch.compile(module, dynamic=True, mode=arguments.mode)
        began = time.perf_counter()
        try:
            tower(frames[: BATCHES[0]].to(device))
            synchronize(device)
        except Exception as error:  # of torch's compiler there is a family without a base
            tell(does_not_compile={"kernel": kernel, "error": f"{error!r}"[:300]})
            torch.compiler.reset()
            continue
        tell(attention_kernel=kernel, compile_seconds=time.perf_counter() - began)
        return tower, kernel
    raise SystemExit("the tower does not compile with any attention kernel")


def loop_torch(size: Size, arguments: argparse.Namespace) -> None:
    """Measure the compiled tower, with frames on the device and with frames on their way to it."""
    device, work = arguments.device, arguments.work
    torch.set_float32_matmul_precision("high")
    frames = random_frames(size, MOST_FRAMES)
    with torch.no_grad():
        module = write_tower(size, device, work / TOWER_FILE)
        write_known(frames, lambda part: module(part.to(device)).float().cpu().numpy(), work)
        tower, kernel = compiled(module, frames, arguments)
        settings = {"device": device, "mode": arguments.mode, "kernel": kernel, "size": size.name}
        (work / SETTINGS_FILE).write_text(json.dumps(settings))
        for batch in BATCHES:
            host = frames[:batch].pin_memory() if device == "cuda" else frames[:batch]
            there = host.to(device)
            tell(
                loop={
                    "batch": batch,
                    "frames_per_second": batch
                    / seconds_a_pass(lambda there=there: tower(there), arguments.seconds, device),
                    "with_copies_frames_per_second": batch
                    / seconds_a_pass(
                        lambda host=host: tower(host.to(device, non_blocking=True)),
                        arguments.seconds,
                        device,
                    ),
                }
            )


def loop_onnxruntime(size: Size, arguments: argparse.Namespace) -> None:
    """Measure the bundled tower in the session that the server has too, without the server."""
    from trireel_backend.towers.settings import TowerSettings
    from trireel_backend.towers.tower import Tower

    tower = Tower(arguments.onnx, TowerSettings(threads=0, providers="CPUExecutionProvider"))
    frames = random_frames(size, MOST_FRAMES)
    write_known(frames, lambda part: tower.run(part.numpy()), arguments.work)
    for batch in BATCHES:
        part = frames[:batch].numpy()
        seconds = seconds_a_pass(lambda part=part: tower.run(part), arguments.seconds, "cpu")
        tell(loop={"batch": batch, "frames_per_second": batch / seconds})


def random_frames(size: Size, count: int) -> torch.Tensor:
    """Return frames uint8 [count, S, S, 3], the same in every process."""
    shape = (count, size.image_size_px, size.image_size_px, 3)
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(SEED)
    )


def write_known(frames: torch.Tensor, run: Callable[[Any], Any], work: Path) -> None:
    """Write frames and the embeddings a served tower must come to as well."""
    known = frames[:KNOWN_FRAMES]
    np.savez(work / KNOWN_FILE, frames=known.numpy(), embeddings=np.asarray(run(known), np.float32))


def main() -> None:
    """Measure the machine, then the tower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=["torch", "onnxruntime"], required=True)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--device", choices=["cuda", "cpu"], required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--onnx", type=Path)
    arguments = parser.parse_args()
    size = SIZES[arguments.size]
    tell(torch=torch.__version__, cuda=torch.version.cuda)
    tell(matrix_flops_per_second=measure_matrix_rate(arguments.device))
    {"torch": loop_torch, "onnxruntime": loop_onnxruntime}[arguments.runtime](size, arguments)


if __name__ == "__main__":
    main()
