# SPDX-License-Identifier: Apache-2.0
"""Analysis of one whole video by all models: order, overlap, admission."""
