# SPDX-License-Identifier: Apache-2.0
"""Sampling frames from a video file with FFmpeg's libraries (PyAV).

A sampled frame is the one on screen at the middle of its slot, and its time is its own PTS. Only
what such a frame needs is decoded, in a process of its own.
"""
