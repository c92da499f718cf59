# SPDX-License-Identifier: Apache-2.0
"""What travels between client and models: requests and named arrays."""
