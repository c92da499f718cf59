# SPDX-License-Identifier: Apache-2.0
"""One video through a server: its answer, and the facts that make the answer reproducible."""
