# SPDX-License-Identifier: Apache-2.0
"""From a file to decoded frames.

opening, look, encryption      a file's stream; its start, length and stills; what is refused
boxes, ebml                    structures of MP4 and Matroska files
timeline, clock                when all frames come on screen; times that begin again go on
bitstream, fields              a packet's own header: keyframe, hidden, one field of a frame
packets, reader                only the packets that a frame on screen needs
keyframes, full_decode         keyframes alone; everything, for files without times
animation, photographs, heif, stills, alpha
                               animated WebP; JPEG, HEIC and AVIF pictures; alpha streams
"""
