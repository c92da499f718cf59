# SPDX-License-Identifier: Apache-2.0
"""The decoding process: the owner's side, the worker's side, and their messages."""
