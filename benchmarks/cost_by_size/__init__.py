# SPDX-License-Identifier: Apache-2.0
"""How time and memory grow with the size of what is asked for."""
