# SPDX-License-Identifier: Apache-2.0
"""Videos that are elsewhere: fetched by URI, bounded, and kept in the spool for a while."""
