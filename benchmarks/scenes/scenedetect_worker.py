# SPDX-License-Identifier: Apache-2.0
"""PySceneDetect in an environment of its own: reads paths, prints cuts and CPU time as JSON.

Run: PYTHON scenedetect_worker.py content|adaptive|hash
"""

import json
import sys
import time

from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, SceneManager, open_video

DETECTORS = {"content": ContentDetector, "adaptive": AdaptiveDetector, "hash": HashDetector}


def main() -> None:
    """Detect the cuts of one video a line, with the defaults of the detector."""
    for line in sys.stdin:
        began = time.process_time()
        video = open_video(line.strip())
        manager = SceneManager()
        manager.add_detector(DETECTORS[sys.argv[1]]())
        manager.detect_scenes(video)
        cuts = [start.seconds for start, _ in manager.get_scene_list()][1:]
        answer = {"cuts": cuts, "cpu_seconds": time.process_time() - began}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
