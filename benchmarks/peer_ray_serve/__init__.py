# SPDX-License-Identifier: Apache-2.0
"""The reference pipeline rebuilt on Ray Serve, and Trireel, measured in turn on the same videos."""
