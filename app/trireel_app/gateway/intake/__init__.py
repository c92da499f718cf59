# SPDX-License-Identifier: Apache-2.0
"""Videos on their way in: files in one request, resumable files, and URIs."""
