# SPDX-License-Identifier: Apache-2.0
"""Many videos through a Trireel server: durable jobs, a library that lasts, search over moments."""
