# SPDX-License-Identifier: Apache-2.0
"""What becomes of whole videos if a stop does not wait for them."""

import pytest

from trireel_backend.errors import StageFailed, Unavailable
from trireel_backend.whole_video.admission import Admission


def fail_during_a_stop(admission):
    with admission.video():
        admission.close()
        raise StageFailed("no available versions")


def test_a_model_that_a_stop_unloaded_is_no_fault_of_the_video(tmp_path):
    admission = Admission(tmp_path)
    with pytest.raises(StageFailed, match="no available versions"), admission.video():
        raise StageFailed("no available versions")
    with pytest.raises(Unavailable, match="retry on another server"):
        fail_during_a_stop(admission)
    admission.open()
    with admission.video():
        assert not admission.is_idle()
