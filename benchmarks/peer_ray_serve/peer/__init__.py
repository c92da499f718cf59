# SPDX-License-Identifier: Apache-2.0
"""The reference pipeline on Ray Serve; it runs in an environment of its own (requirements.txt).

Three deployments: VideoAnalyzer takes requests, has ffmpeg sample the frames and puts the answer
together; VideoEncoder runs the vision tower; MultiDecoder finds tags, a caption and scene changes.
What the authors set for their machines (6 CPUs for VideoAnalyzer, a GPU for VideoEncoder, replicas
that come and go) is here what this machine has: one replica of each, which share its cores.
"""
