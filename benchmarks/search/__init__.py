# SPDX-License-Identifier: Apache-2.0
"""The moment index at 200,000 frames: what it finds of what is there, and how fast."""
