# SPDX-License-Identifier: Apache-2.0
"""A tiny vision-language model: questions about drawings, their true answers, and the training."""
