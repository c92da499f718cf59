# SPDX-License-Identifier: Apache-2.0
"""Where a scene ends: transitions found in frames, and the scenes between them."""
