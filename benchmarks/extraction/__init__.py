# SPDX-License-Identifier: Apache-2.0
"""Sampling frames beside the ffmpeg command and other libraries."""
