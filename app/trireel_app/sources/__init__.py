# SPDX-License-Identifier: Apache-2.0
"""From what a person names to the videos that it stands for."""
