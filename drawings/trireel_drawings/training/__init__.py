# SPDX-License-Identifier: Apache-2.0
"""Training and measuring a small checkpoint on drawn scenes."""
