# SPDX-License-Identifier: Apache-2.0
"""The objects of an analysis as files: a video with boxes, and a data set in COCO's format."""
