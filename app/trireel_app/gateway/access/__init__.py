# SPDX-License-Identifier: Apache-2.0
"""Who may request what: keys, sessions of the page, limits and quotas, the audit log."""
