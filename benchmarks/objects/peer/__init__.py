# SPDX-License-Identifier: Apache-2.0
"""The detection pipeline on Ray Serve; it runs in the environment of `peer_ray_serve`.

Four deployments: DetectionApi takes requests; Chunker divides a video; FrameDecoder has ffmpeg
decode the frames; Detector runs the detector's graph. In mode `chunked` each chunk is decoded and
detected on its own; in mode `combined` all frames of the video are decoded together and detected in
one call. There is one replica of each, and they share this machine's cores.

FrameDecoder gives frames of the video's own size, and Detector resizes them as the checkpoint's
image processor does. In the fitted pipeline ffmpeg scales to the size that the detector takes: less
work, and less data between the deployments.
"""
