# SPDX-License-Identifier: Apache-2.0
"""Tracks of detected objects: which detections in successive frames are one object.

boxes         rectangles as fractions of the picture, and how far two of them overlap
assignment    the pairs of rows and columns with the largest sum of similarities
motion        Kalman filters that predict where boxes will be
tracker       ByteTrack: from the detections of the next frame to their tracks
history       what is known of each track of a video so far
on_screen     the intervals in which a label is on screen
"""
