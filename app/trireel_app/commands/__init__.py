# SPDX-License-Identifier: Apache-2.0
"""The commands that this package adds to `trireel`."""

import os

# gRPC's own log would mix with the display. gRPC reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
