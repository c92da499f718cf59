# SPDX-License-Identifier: Apache-2.0
"""Sampling frames from a video file with FFmpeg's libraries (PyAV).

A sampled frame is the one on screen at the middle of its slot, and its time is its own PTS. Only
what such a frame needs is decoded, in a process of its own.

    task, view, limits      what is asked, seen and allowed; plain values without FFmpeg
    isolation               the owner's side: a worker process, its time, its death
    worker, messages        the worker's side; tasks and results between both
    extractor, cache        tasks done; videos kept open between chunks
    container, look         opening, choosing the stream, seeking; start and length
    timeline, clock         when all frames come on screen; times that begin again go on
    bitstream, fields       a packet's own header: keyframe, hidden, one field of a frame
    packets, reader         which packets a frame on screen needs; nothing else is decoded
    keyframes, plain        keyframes alone; everything, for files without times or damaged
    animation               animated WebP, which FFmpeg does not read
    picture, hdr            from a frame to the square picture: region, upright, one field, SDR
    sampling                a chunk's frames from whichever of these
"""
