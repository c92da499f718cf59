# SPDX-License-Identifier: Apache-2.0
"""What stands before every route: hosts, headers, limits of anonymous requests, errors as JSON."""
