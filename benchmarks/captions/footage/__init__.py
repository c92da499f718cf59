# SPDX-License-Identifier: Apache-2.0
"""Videos with burnt-in captions, and the truth about each: text, box, first and last frame."""
