# SPDX-License-Identifier: Apache-2.0
"""Many videos as one job, which outlives the processes that work on it."""
