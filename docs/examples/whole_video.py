"""One whole video with Triton's own Python client: pip install 'tritonclient[grpc]'."""

import sys

import numpy as np
import tritonclient.grpc as triton

url, video = sys.argv[1:]
name = triton.InferInput("VIDEO", [1], "BYTES")
name.set_data_from_numpy(np.array([video.encode()], dtype=object))
with_embeddings = triton.InferInput("WITH_EMBEDDINGS", [1], "BOOL")
with_embeddings.set_data_from_numpy(np.array([True]))

with triton.InferenceServerClient(url) as client:
    answer = client.infer("video_analysis", [name, with_embeddings], client_timeout=600)

print(answer.as_numpy("CAPTION_TEXT")[0].decode())
print(answer.as_numpy("TAG_TEXTS")[0].decode(), answer.as_numpy("TAG_PROBABILITIES")[0])
print("embeddings", answer.as_numpy("EMBEDDINGS").shape)
