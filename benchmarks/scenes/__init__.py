# SPDX-License-Identifier: Apache-2.0
"""Finding cuts: precision, recall, exactness in time and cost, beside other detectors."""
