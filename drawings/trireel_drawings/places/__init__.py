# SPDX-License-Identifier: Apache-2.0
"""The places of the drawn world and what happens in each."""
