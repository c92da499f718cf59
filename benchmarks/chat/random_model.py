# SPDX-License-Identifier: Apache-2.0
"""A text model of random weights behind `transformers serve`, a real server with OpenAI's API."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.common.record import ROOT

TOKENIZER = ROOT / "export/tiny/checkpoint"
READY_SECONDS = 120.0
RANDOM = "random"
"""Name of the model's folder."""
TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


@contextmanager
def random_model(folder: Path, port: int) -> Iterator[None]:
    """Serve a model on a port of loopback."""
    checkpoint = folder / RANDOM
    _write(checkpoint)
    command = [
        str(Path(sys.executable).parent / "transformers"),
        *("serve", str(checkpoint), "--host", "127.0.0.1", "--port", str(port)),
        *("--device", "cpu"),
    ]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = folder / "random.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/health", log)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _write(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    # The checkpoint's own settings name a processor of pictures, and cut texts.
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(TOKENIZER / "tokenizer.json"),
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=4096,
        chat_template=TEMPLATE,
    )
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=4096,
        pad_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError("transformers serve did not start:\n" + log.read_text()[-2000:])
