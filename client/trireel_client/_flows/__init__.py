# SPDX-License-Identifier: Apache-2.0
"""What a client asks and in which order, without any input or output."""
