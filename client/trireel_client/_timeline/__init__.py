# SPDX-License-Identifier: Apache-2.0
"""The scenes of a video as one timeline of exact times, and the formats of other programs."""
