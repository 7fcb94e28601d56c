"""Formats that people have in the folders of their photographs and that nothing here reads, by how a file begins."""

CONVERT = "which is not read: convert it to TIFF or PNG first"
RAW = "no photograph, but a camera's raw data: develop it first"
LOOKED_AT = 2**17  # bytes: a JPEG's frame header stands behind its metadata
STARTS = {
    b"\xff\x0a": f"JPEG XL, {CONVERT}",
    b"\0\0\0\x0cJXL \r\n\x87\n": f"JPEG XL, {CONVERT}",
    b"II\xbc": f"JPEG XR, {CONVERT}",
    b"8BPS": f"a Photoshop file, {CONVERT}",
    b"%PDF": f"a PDF, {CONVERT}",
    b"%!PS": f"PostScript, {CONVERT}",
    b"P7\n": f"PAM, {CONVERT}",
    b"v/1\x01": f"OpenEXR, {CONVERT}",
    b"AT&TFORM": f"DjVu, {CONVERT}",
    b"FUJIFILMCCD-RAW": RAW,
    **dict.fromkeys((b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb"), RAW),
}
BRANDS = {  # of ISO base media
    b"crx ": RAW,
    **dict.fromkeys((b"isom", b"mp41", b"mp42", b"M4V ", b"qt  "), "a video: save a frame of it first"),
}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7}  # a JPEG's markers, ITU-T T.81 and T.87


def refusal_of(head: bytes) -> str | None:
    """Why a file is not read, in words that name what it is; None: it may be read.

    Args:
      head: its first `LOOKED_AT` bytes, or fewer.
    """
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12])
    if head[128:132] == b"DICM":
        return f"DICOM, {CONVERT}"
    if head[:2] == b"\xff\xd8":
        return _of_jpeg(head)
    return next((said for start, said in STARTS.items() if head.startswith(start)), None)


def _of_jpeg(head: bytes) -> str | None:
    at = 2
    while at + 5 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in FRAMES:
            if marker == 0xF7:
                return f"JPEG-LS, {CONVERT}"
            return None if head[at + 4] == 8 else f"JPEG of {head[at + 4]} bits, {CONVERT}"
        if marker == 0xDA:
            break
        at += 1 if marker == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
