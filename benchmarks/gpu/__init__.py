# SPDX-License-Identifier: Apache-2.0
"""What serving the tower through Triton costs, beside the tower alone and the machine's limit."""
