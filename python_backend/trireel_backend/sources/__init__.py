# SPDX-License-Identifier: Apache-2.0
"""From a path or URI to a local file: fetched videos are limited, and kept in the spool."""
