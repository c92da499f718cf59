# SPDX-License-Identifier: Apache-2.0
"""Load on a Trireel server, and what bounds it: the command `trireel load-test`.

Needs the extra `load-test` of trireel-client. What is measured, and how: docs/load-test.md.
"""
