# SPDX-License-Identifier: Apache-2.0
"""Text in pictures, without the models: boxes of a text map, pictures of lines, codes as text."""
