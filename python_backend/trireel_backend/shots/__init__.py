# SPDX-License-Identifier: Apache-2.0
"""Where one shot of a video ends and the next begins, told from thumbnails."""
