# SPDX-License-Identifier: Apache-2.0
"""Sampling frames from a video file with FFmpeg's libraries (PyAV).

A sampled frame is the frame on screen at the middle of its slot, and its time is its own PTS. Only
the packets that such a frame needs are decoded, in a separate process.

    task, view, limits, settings   plain values without FFmpeg: a task, a view, bounds
    extractor, cache, sampling     tasks in this process; videos kept open; a chunk's frames
    counting                       metric families
    process/                       the worker process, the owner's side, their messages
    reading/                       from a file to decoded frames: opening, look, packets, readers
    picture/                       from a decoded frame to a square RGB picture
"""
