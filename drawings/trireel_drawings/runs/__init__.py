# SPDX-License-Identifier: Apache-2.0
"""What all trainings share: drawing in several processes, their progress, their rate and cost."""
