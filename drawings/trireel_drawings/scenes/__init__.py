# SPDX-License-Identifier: Apache-2.0
"""A place with people, seen by a camera: frames, a contact sheet and sample videos."""
