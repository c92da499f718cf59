# SPDX-License-Identifier: Apache-2.0
"""Videos of minutes and of hours through the embedded server."""
