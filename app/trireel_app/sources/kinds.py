# SPDX-License-Identifier: Apache-2.0
"""The type of a file by its first bytes. Names and headers of uploads say nothing reliable."""

HEAD_BYTES = 4096
"""Bytes of the beginning of a file that decide its type."""

MP4 = "video/mp4"
QUICKTIME = "video/quicktime"
TS_PACKET_BYTES = 188
M2TS_PACKET_BYTES = 192
BRANDS = {
    b"qt  ": QUICKTIME,
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"M4A ": "audio/mp4",
    b"3gp": "video/3gpp",
}
QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")
STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "video/ogg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x06\x0e\x2b\x34", "application/mxf"),
    (b"DKIF", "video/x-ivf"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x00\x01\x67", "video/h264"),
    (b"\x00\x00\x00\x01\x09", "video/h264"),
    (b"\x00\x00\x00\x01\x40", "video/h265"),
    (b"\x00\x00\x00\x01\x46", "video/h265"),
)
RIFF_TYPES = {b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav", b"WEBP": "image/webp"}
SHOWN = ("video/", "audio/", "image/")


def media_type(head: bytes) -> str | None:
    """Return the media type of a file that begins with `head`; None if it is no known medium.

    Only containers of video, sound and pictures are known. HTML, SVG, playlists and archives are
    not, whatever their names are.
    """
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return next((kind for start, kind in BRANDS.items() if brand.startswith(start)), MP4)
    if head[4:8] in QUICKTIME_ATOMS:
        return QUICKTIME
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"RIFF"):
        return RIFF_TYPES.get(head[8:12])
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    return "video/mp2t" if _is_transport_stream(head) else None


def is_video(kind: str | None) -> bool:
    """Return whether a media type is one of videos or pictures, which can be analysed."""
    return kind is not None and (kind.startswith(("video/", "image/")) or kind == "application/mxf")


def _is_transport_stream(head: bytes) -> bool:
    """Return whether the sync byte stands at the begin of each of the first packets."""
    for size, offset in ((TS_PACKET_BYTES, 0), (M2TS_PACKET_BYTES, 4)):
        syncs = head[offset : offset + 4 * size : size]
        if len(syncs) >= 2 and set(syncs) == {0x47}:
            return True
    return False
