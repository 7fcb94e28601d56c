"""How a TIFF file lays out its samples, as its tags say; and by name what is not read.

Adobe, TIFF 6.0 (1992), with its technical notes and supplements; BigTIFF of libtiff.
"""

import dataclasses
import mmap
import struct

from hybridvit.photo.tiff_tags import (
    BYTE,
    LONG,
    LONG8,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    Tag,
    read_directory,
    value_of,
)

HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
COLORS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, INKS: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
LOG_LUV = 32845
OTHER_KINDS = {
    4: "a mask of another picture",
    10: "Lab as faxes have it (ITU)",
    32803: "a camera's raw data (a mosaic of colours): develop it first",
    32844: "of high dynamic range (LogL)",
    34892: "a camera's or scanner's raw data (linear): develop it first",
    51177: "a map of depth",
    52527: "a mask of another picture",
}
UNCOMPRESSED, LZW, DEFLATE, PACK_BITS, LZMA, ZSTD = 1, 5, (8, 32946), 32773, 34925, 50000
JPEG_2000, WEBP = 34712, 50001
PICTURES = (JPEG_2000, WEBP)  # each tile or strip is a picture of its own
OWN_COMPRESSIONS = (UNCOMPRESSED, LZW, *DEFLATE, PACK_BITS, LZMA, ZSTD, *PICTURES)
# What the decoders' wheels have of libtiff's: CCITT, JPEG, ThunderScan, PixarLog, SGILog, WebP; and those above
LIBTIFF_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32909, 32946, 34676, 34677, 50001)
COMPRESSIONS = {
    **{
        6: "JPEG",
        7: "JPEG",
        22610: "JPEG XR",
        32767: "Sony's ARW",
        32769: "Epson's ERF",
        32770: "Samsung's SRW",
    },
    **{32766: "NeXT's RLE", 32908: "PixarFilm", 33003: "JPEG 2000 (Aperio)", 33004: "JPEG 2000 (Aperio)"},
    **{33005: "JPEG 2000 (Aperio)", 34661: "JBIG", 34712: "JPEG 2000", 34713: "Nikon's NEF", 34887: "LERC"},
    **{
        34892: "lossy JPEG (DNG)",
        34926: "ZSTD (in an old form)",
        34927: "WebP (in an old form)",
        34933: "PNG",
    },
    **{34934: "JPEG XR", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL", 65000: "Kodak's DCR"},
}
MOST_SAMPLES = 16  # a pixel
KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # SampleFormat -> of NumPy


@dataclasses.dataclass(frozen=True)
class Layout:
    """The tags that say where samples lie and what they mean.

    Attributes:
      width, height: px.
      bits: of each sample.
      kind: "u", "i" or "f" as of NumPy's types; another: not known.
      samples: a pixel.
      photometric: the colours' kind, TIFF's number.
      compression: TIFF's number.
      order: "<" or ">".
      separate: whether each sample has a plane of its own.
      predictor: 1 none, 2 differences, 3 of floats.
      reversed_bits: the lowest bit of a byte comes first.
      extra: what samples behind the colours are: 1 associated alpha, 2 alpha, others something else.
      tile: rows and columns of a tile, or of a strip.
      tiled: whether it has tiles.
      offsets, sizes: of tiles or strips, bytes of the file.
      orientation: EXIF's.
      icc: the profile.
      subsampled: whether chroma is reduced (YCbCr).
      white: chromaticity of the white point, or None.
      other_inks: whether inks are others than cyan, magenta, yellow and black.
    """

    width: int
    height: int
    bits: tuple[int, ...]
    kind: str
    samples: int
    photometric: int
    compression: int
    order: str
    separate: bool
    predictor: int
    reversed_bits: bool
    extra: tuple[int, ...]
    tile: tuple[int, int]
    tiled: bool
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    orientation: int
    icc: bytes | None
    subsampled: bool
    white: tuple[float, float] | None
    other_inks: bool

    @property
    def depth(self) -> int:
        """Bits of every sample; 0 where they differ."""
        return self.bits[0] if len(set(self.bits)) == 1 else 0

    @property
    def colors(self) -> int:
        """Samples that are colours."""
        return min(COLORS.get(self.photometric, self.samples), self.samples)

    @property
    def alpha(self) -> int | None:
        """Which sample is transparency."""
        return next((self.colors + i for i, kind in enumerate(self.extra) if kind in (1, 2)), None)

    @property
    def associated(self) -> bool:
        """Whether colours are multiplied by that transparency."""
        return self.alpha is not None and self.extra[self.alpha - self.colors] == 1

    @property
    def dropped(self) -> int:
        """How many samples are neither colour nor transparency."""
        return self.samples - self.colors - (self.alpha is not None)

    @property
    def is_own(self) -> bool:
        """Whether `tiff_samples` reads it."""
        deep = {"u": (*range(1, 17), 32, 64), "i": (8, 16, 32), "f": (16, 32, 64)}.get(self.kind, ())
        kinds = (
            WHITE_IS_ZERO,
            BLACK_IS_ZERO,
            RGB,
            INKS,
            CIELAB,
            ICCLAB,
            *([] if self.subsampled else [YCBCR]),
        )
        packed = self.depth % 8 or self.compression in PICTURES
        predicted = self.predictor == 1 or (not packed and self.predictor == (3 if self.kind == "f" else 2))
        return (
            self.refusal is None
            and self.compression in OWN_COMPRESSIONS
            and self.depth in deep
            and self.photometric in kinds
            and (
                self.photometric < YCBCR
                or self.kind == "u"
                or (self.kind == "f" and self.photometric != YCBCR)
            )
            and (self.photometric < YCBCR or self.depth >= 8)
            and predicted
            and (self.compression not in PICTURES or (self.kind == "u" and self.depth <= 16))
            and (
                self.compression != WEBP
                or (self.depth == 8 and self.photometric == RGB and not self.separate)
            )
        )

    @property
    def is_plain(self) -> bool:
        """Whether libvips reads its samples rightly."""
        few = self.samples == 1 and self.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE)
        deep = (*((1, 2, 4) if few else (1,) if self.samples == 1 else ()), 8, 16, 32)
        floats = self.kind == "f" and self.depth == 32 and self.photometric in (BLACK_IS_ZERO, RGB)
        kinds = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS)
        counted = self.kind == "u" and self.depth in deep and self.photometric in kinds
        # JPEG and SGILog come out as RGB and as XYZ
        jpeg = self.photometric == YCBCR and self.compression in (6, 7, WEBP) and self.depth == 8
        coded = jpeg or (self.photometric == LOG_LUV and self.compression in (34676, 34677))
        multiplied = self.associated and self.compression in OWN_COMPRESSIONS[:-1]
        # libvips takes planes of gray and something else for one picture's samples, and knows no tiles of planes
        planes = self.separate and (self.tiled or self.colors == 1)
        known = self.compression in LIBTIFF_COMPRESSIONS and (coded or counted or floats)
        return known and not multiplied and not planes

    @property
    def refusal(self) -> str | None:
        """Why nothing here reads it, in words that name it; None: something may."""
        if self.photometric in OTHER_KINDS:
            return f"no photograph, but {OTHER_KINDS[self.photometric]}"
        if self.compression not in (*OWN_COMPRESSIONS, *LIBTIFF_COMPRESSIONS):
            name = COMPRESSIONS.get(self.compression, f"method {self.compression}")
            return f"a TIFF compressed by {name}, which is not read: save it with Deflate, LZW or without"
        if self.other_inks or (self.photometric == INKS and self.samples < 4):
            return "of other inks than cyan, magenta, yellow and black: convert it to RGB first"
        if self.samples > MOST_SAMPLES:
            return f"{self.samples} channels: that is no photograph"
        if self.samples < COLORS.get(self.photometric, 1):
            wanted = COLORS[self.photometric]
            return f"a TIFF with {self.samples} of the {wanted} channels of its colours, which is not read"
        if not self.depth:
            return f"samples of {', '.join(map(str, self.bits))} bits: those of a photograph are alike"
        return None

    @property
    def not_read(self) -> str:
        """The refusal of one that is neither `is_own` nor `is_plain`: what kind it is."""
        kinds = {"u": "", "i": " with a sign", "f": " as floats"}
        name = COMPRESSIONS.get(self.compression, f"method {self.compression}")
        by = "no compression" if self.compression == UNCOMPRESSED else f"compressed by {name}"
        reduced = ", its chroma reduced" if self.subsampled else ""
        what = (
            f"{self.depth} bits{kinds.get(self.kind, ' of another kind')}, colours of kind {self.photometric}"
        )
        kind = f"{what}{reduced}, {by}"
        return f"a TIFF of this kind is not read: {kind}; save it as 8 or 16 bits, RGB or gray"


def read_layout(data: bytes | mmap.mmap, at: int | None = None) -> Layout | None:
    """The layout of a TIFF file's first page, or of that whose directory stands `at` a place; None of other files.

    Raises:
      ValueError: damaged: it lacks what it must have.
    """
    return layout_of(read_directory(data, at)) if bytes(data[:4]) in HEADS else None


def layout_of(directory: Directory) -> Layout:
    """The layout that a directory describes. Raises ValueError for a damaged one."""
    tags = directory.tags

    def all_of(tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        value = value_of(tags, tag)
        if value is None or value.type not in (BYTE, SHORT, LONG, LONG8, UNDEFINED) or not value.count:
            return default
        return tuple(value.numbers())

    def one(tag: int, default: int) -> int:
        return all_of(tag, (default,))[0]

    width, height, samples, photometric = one(256, 0), one(257, 0), one(277, 1), one(262, -1)
    bits, formats = all_of(258, (1,)), set(all_of(339, (1,)))
    bits = bits * min(samples, 65536) if len(bits) == 1 else bits[:samples]
    if photometric in (CIELAB, ICCLAB) and formats <= {
        1,
        2,
    }:  # a and b may be said to have a sign, which they have
        formats = {1}
    tiled = 324 in tags
    rows, columns = (one(323, 0), one(322, 0)) if tiled else (min(one(278, height), height), width)
    if min(width, height, samples) < 1 or len(bits) != samples or min(rows, columns) < 1:
        raise ValueError("damaged (its size, its depth or that of its tiles is missing)")
    profile = tags.get(34675)
    return Layout(
        width=width,
        height=height,
        bits=bits,
        kind=KINDS.get(max(formats), "?") if len(formats) == 1 else "?",
        samples=samples,
        photometric=photometric,
        compression=one(259, 1),
        order=directory.order,
        separate=one(284, 1) == 2 and samples > 1,
        predictor=one(317, 1),
        reversed_bits=one(266, 1) == 2,
        extra=all_of(338)[: max(0, samples - COLORS.get(photometric, samples))],
        tile=(rows, columns),
        tiled=tiled,
        offsets=all_of(324 if tiled else 273),
        sizes=all_of(325 if tiled else 279),
        orientation=one(274, 1),
        icc=profile.value if isinstance(profile, Tag) else None,
        subsampled=photometric == YCBCR and all_of(530, (2, 2)) != (1, 1),
        white=_chromaticity(tags.get(318)),
        other_inks=photometric == INKS and one(332, 1) != 1,
    )


def _chromaticity(value: Tag | dict | None) -> tuple[float, float] | None:
    if not isinstance(value, Tag) or value.type != RATIONAL or value.count != 2:
        return None
    above_x, below_x, above_y, below_y = struct.unpack("<4I", value.value)
    x, y = above_x / max(below_x, 1), above_y / max(below_y, 1)
    return (x, y) if min(x, y) > 0.05 and x + y < 0.95 else None
