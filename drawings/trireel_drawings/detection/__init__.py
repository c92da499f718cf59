# SPDX-License-Identifier: Apache-2.0
"""A small object detector that is trained on drawings."""
