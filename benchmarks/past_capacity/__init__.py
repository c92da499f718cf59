# SPDX-License-Identifier: Apache-2.0
"""More clients than a server accepts."""
