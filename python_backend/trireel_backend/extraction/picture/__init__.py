# SPDX-License-Identifier: Apache-2.0
"""From a decoded frame to the picture that a model accepts."""
