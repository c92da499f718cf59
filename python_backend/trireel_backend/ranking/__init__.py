# SPDX-License-Identifier: Apache-2.0
"""Large banks of texts, searched through int8 codes."""
