# SPDX-License-Identifier: Apache-2.0
"""What several tests need: videos, an oracle, a stand-in for Triton's Python module."""
