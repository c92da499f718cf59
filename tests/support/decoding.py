# SPDX-License-Identifier: Apache-2.0
"""Counting the packets that decoders get."""

from trireel_backend.extraction.reading import keyframes, opening, packets


def count_decoded(monkeypatch):
    """Return a list that each packet with data is put into as it is decoded."""
    decoded = []
    original = opening.decode

    def counted(codec, packet):
        if packet is not None and packet.size:
            decoded.append(packet)
        return original(codec, packet)

    for module in (keyframes, packets):
        monkeypatch.setattr(module, "decode", counted)
    return decoded
