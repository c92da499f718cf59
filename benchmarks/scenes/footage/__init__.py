# SPDX-License-Identifier: Apache-2.0
"""The videos that detectors are measured on: edits of the drawn world and of real clips."""
