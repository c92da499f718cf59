# SPDX-License-Identifier: Apache-2.0
"""What is found in a video: one file for each finding.

finding            the interface of a finding, and the second view that it may want
chunk              a chunk as findings see it: embeddings, times, frames of second views
tags, caption, scenes, quality
                   the findings
registry           all findings by name; which ones a request names
decoder            runs the findings of a request in turn, chunk after chunk
sequences          states by correlation id, with a clock of their own
"""
