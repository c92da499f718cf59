# SPDX-License-Identifier: Apache-2.0
"""What the gateway adds to a request for a stored result."""
