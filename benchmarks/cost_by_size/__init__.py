# SPDX-License-Identifier: Apache-2.0
"""Growth of time and memory with the size of a request."""
