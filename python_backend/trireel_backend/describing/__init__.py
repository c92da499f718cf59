# SPDX-License-Identifier: Apache-2.0
"""Questions about pictures, answered by the first of several vision-language models that can."""
