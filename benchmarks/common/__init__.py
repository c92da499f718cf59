# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the machine, servers and their memory, shapes of towers."""
