# SPDX-License-Identifier: Apache-2.0
"""The files of the models `text_detector` and `text_recognizer`, made of published wheels."""
