# SPDX-License-Identifier: Apache-2.0
"""Tasks that outlive the process that runs them: the port, and DBOS behind it."""
