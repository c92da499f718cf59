# SPDX-License-Identifier: Apache-2.0
"""The moment index: embeddings and words of all videos of a library, and the search over them."""
