# SPDX-License-Identifier: Apache-2.0
"""Questions about videos: moments from the index, and answers whose times are checked."""
