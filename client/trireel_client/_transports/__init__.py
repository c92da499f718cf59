# SPDX-License-Identifier: Apache-2.0
"""One file a protocol, and what a connection needs: TLS, statuses, deadlines."""
