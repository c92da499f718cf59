"""Embeddings over HTTP as bytes, not as JSON text: pip install 'tritonclient[http]'."""

import sys

import numpy as np
import tritonclient.http as triton

url, video = sys.argv[1:]
name = triton.InferInput("VIDEO", [1], "BYTES")
name.set_data_from_numpy(np.array([video.encode()], dtype=object), binary_data=False)
with_embeddings = triton.InferInput("WITH_EMBEDDINGS", [1], "BOOL")
with_embeddings.set_data_from_numpy(np.array([True]), binary_data=False)
wanted = [triton.InferRequestedOutput(n, binary_data=True) for n in ("EMBEDDINGS", "TIMESTAMPS")]

with triton.InferenceServerClient(url, network_timeout=600) as client:
    answer = client.infer("video_analysis", [name, with_embeddings], outputs=wanted)

seconds, embeddings = answer.as_numpy("TIMESTAMPS"), answer.as_numpy("EMBEDDINGS")
for index in range(3):
    length = np.linalg.norm(embeddings[index])
    print(f"{seconds[index]:.3f} s: {len(embeddings[index])} numbers, length {length:.3f}")
