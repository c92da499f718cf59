# SPDX-License-Identifier: Apache-2.0
"""Tracks of drawn figures by the bundled detector, against the truth."""
