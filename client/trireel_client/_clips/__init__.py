# SPDX-License-Identifier: Apache-2.0
"""Clips written to a folder or to S3, each whole under its name, with a manifest at the end."""
