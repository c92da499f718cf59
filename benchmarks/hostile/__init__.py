# SPDX-License-Identifier: Apache-2.0
"""Hostile requests, and whether the server lives."""
