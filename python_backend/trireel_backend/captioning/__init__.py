# SPDX-License-Identifier: Apache-2.0
"""Captions of one whole video: extraction, comparison, reading and clips, all side by side."""
