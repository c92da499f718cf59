# SPDX-License-Identifier: Apache-2.0
"""One whole video through all models: order, overlap, admission."""
