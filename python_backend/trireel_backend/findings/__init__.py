# SPDX-License-Identifier: Apache-2.0
"""What is found in a video: one file for each finding."""
