# SPDX-License-Identifier: Apache-2.0
"""A vision-language model of transformers, in a process that exists only while it is needed."""
