# SPDX-License-Identifier: Apache-2.0
"""Export SigLIP checkpoints to the files that Trireel serves."""
