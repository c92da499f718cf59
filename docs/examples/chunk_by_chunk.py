"""Chunk by chunk with Triton's own Python client: pip install 'tritonclient[grpc]'."""

import queue
import sys

import numpy as np
import tritonclient.grpc as triton

url, video = sys.argv[1:]
name = triton.InferInput("VIDEO", [1], "BYTES")
name.set_data_from_numpy(np.array([video.encode()], dtype=object))

answers = queue.Queue()
with triton.InferenceServerClient(url) as client:
    client.start_stream(callback=lambda result, error: answers.put(error or result))
    client.async_stream_infer("video_analysis_stream", [name], enable_empty_final_response=True)
    while True:
        answer = answers.get(timeout=600)
        if isinstance(answer, Exception):
            sys.exit(f"rejected: {answer}")
        if answer.get_response().parameters["triton_final_response"].bool_param:
            break
        if not answer.as_numpy("IS_AGGREGATE")[0]:
            start = answer.as_numpy("CHUNK_START_SECONDS")[0]
            print(f"{start:g} s: {answer.as_numpy('CAPTION_TEXT')[0].decode()}")
