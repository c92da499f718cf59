# SPDX-License-Identifier: Apache-2.0
"""The chat on questions whose answers and times are known."""
