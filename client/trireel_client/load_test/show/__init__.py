# SPDX-License-Identifier: Apache-2.0
"""Shows a result: on a terminal, as a page, as JSON and CSV."""
