# SPDX-License-Identifier: Apache-2.0
"""What every way to run Triton needs: a repository, a server started, checked and stopped."""
