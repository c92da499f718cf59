# SPDX-License-Identifier: Apache-2.0
"""How the measuring processes tell the driver what they found: a JSON object a line."""

import json
from typing import Any


def tell(**found: Any) -> None:
    """Print a line for the driver."""
    print(json.dumps(found), flush=True)
