# SPDX-License-Identifier: Apache-2.0
"""The gateway: videos, results and search over HTTP, for people and their programs."""
