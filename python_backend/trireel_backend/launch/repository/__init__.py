# SPDX-License-Identifier: Apache-2.0
"""The model repository that one run of Triton loads."""
