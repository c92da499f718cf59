# SPDX-License-Identifier: Apache-2.0
"""Stock videos, fetched and normalised for load tests."""
