# SPDX-License-Identifier: Apache-2.0
"""Webhooks: other people's servers are told of the end of a video, signed, and more than once."""
