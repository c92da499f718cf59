# SPDX-License-Identifier: Apache-2.0
"""Findings about a video: one file for each kind.

finding            the interface of a finding, and the second view that it may need
chunk              a chunk as findings see it: embeddings, times, frames of second views
tags, caption, scenes, quality, objects
                   the findings
registry           all findings by name; the findings that a request names
decoder            runs the findings of a request in turn, chunk after chunk
sequences          states by correlation id, with their own clock
progress           how far a video has come: a chunk is new, repeated or late
open_videos        the progress of all live videos, within limits
codec, snapshot    a state as bytes, with which a video goes on at another server
"""
