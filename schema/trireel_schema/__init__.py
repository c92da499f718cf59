# SPDX-License-Identifier: Apache-2.0
"""What several Trireel packages know, each fact once.

Everything here needs NumPy and the standard library alone. `files` names the files of an export;
`metadata`, `texts` and `pictures` read and write them; `gate` compares a tower with its checkpoint;
`stages`, `scenes` and `precision` hold names and defaults.
"""
