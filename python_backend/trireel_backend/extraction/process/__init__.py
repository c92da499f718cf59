# SPDX-License-Identifier: Apache-2.0
"""The decoding process: its owner's side, its own, and their messages."""
