# SPDX-License-Identifier: Apache-2.0
"""People, things and vehicles, and what people do."""
