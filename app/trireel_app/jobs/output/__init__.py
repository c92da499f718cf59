# SPDX-License-Identifier: Apache-2.0
"""From answers to the output: rows, a part for each video, and the whole in the videos' order."""
