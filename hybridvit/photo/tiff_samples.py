"""The samples of a TIFF file of any depth, type and order, as they are stored: what decoders' own readers get wrong.

Strips and tiles are decompressed by Python's own libraries or by Pillow's libtiff, to which they are shown as a gray
picture of bytes; what the bytes mean is said here. Those that are JPEG 2000 or WebP are decoded by Pillow. Only colours
and transparency are kept.
"""

import io
import lzma
import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped, UInt8
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from hybridvit.photo import jpeg_2000
from hybridvit.photo.tiff_layout import DEFLATE, LZMA, PICTURES, UNCOMPRESSED, WEBP, Layout

Data = bytes | mmap.mmap
Samples = Integer[np.ndarray, "h w k"] | Float[np.ndarray, "h w k"]
GROUP = 2**25  # bytes that libtiff decompresses at a time, unless a single strip has more
LZMA_MEMORY = 2**28  # bytes
_CHUNK = 2**20  # samples that are unpacked at a time
_CUT = "damaged or cut short (a strip or tile of it ends too early)"
_REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)[:, 0]


class _Block(NamedTuple):
    """A strip or tile: where its pixels belong, how many rows it has, and where it lies in the file."""

    plane: int
    row: int
    column: int
    rows: int
    offset: int
    size: int | None


def read_samples(data: Data, layout: Layout) -> Samples:
    """Colours and transparency of a picture that `layout.is_own`, numbers as in the file, in the machine's order.

    Unsigned integers of other depths than 8, 16, 32 and 64 bits are scaled to all of 8 or 16 bits.

    Raises:
      ValueError: damaged or cut short.
    """
    kept = [*range(layout.colors), *([] if layout.alpha is None else [layout.alpha])]
    blocks = [block for block in _blocks(layout) if not layout.separate or block.plane in kept]
    out = None
    for block, samples in _decoded(data, layout, blocks):
        if out is None:  # not before the first of it is there: sizes in damaged files are great
            out = np.zeros((layout.height, layout.width, len(kept)), samples.dtype)
        part = out[block.row : block.row + block.rows, block.column : block.column + samples.shape[1]]
        samples = samples[: part.shape[0], : part.shape[1]]
        if layout.separate:
            part[..., kept.index(block.plane)] = samples[..., 0]
        else:
            part[:] = samples[..., kept]
    if out is None:
        raise ValueError("damaged or cut short: it has no pixels")
    return out


def _blocks(layout: Layout) -> list[_Block]:
    rows, columns = layout.tile
    down, across = -(-layout.height // rows), -(-layout.width // columns)
    planes = layout.samples if layout.separate else 1
    sizes: Iterable[int | None] = layout.sizes
    if len(layout.sizes) != len(layout.offsets):
        if layout.compression != UNCOMPRESSED:
            raise ValueError("damaged (the sizes of its strips or tiles are missing)")
        sizes = [None] * len(layout.offsets)
    if planes * down * across > len(layout.offsets):
        raise ValueError("damaged (strips or tiles of it are missing)")
    if rows * columns > 4 * layout.height * layout.width + 2**22:
        raise ValueError("damaged (its tiles are larger than the picture)")
    found = []
    for number, (offset, size) in enumerate(zip(layout.offsets, sizes, strict=True)):
        plane, place = divmod(number, down * across)
        if plane == planes:
            break
        row, column = (part * side for part, side in zip(divmod(place, across), layout.tile, strict=True))
        held = rows if layout.tiled else min(rows, layout.height - row)
        found.append(_Block(plane, row, column, held, offset, size))
    return found


def _decoded(
    data: Data, layout: Layout, blocks: list[_Block]
) -> Iterator[tuple[_Block, Shaped[np.ndarray, "r c s"]]]:
    if layout.compression in PICTURES:
        for block in blocks:
            yield block, _picture(_content(data, layout, block), layout, block)
        return
    together = 1 if layout.separate else layout.samples
    row_bytes = -(-layout.tile[1] * together * layout.depth // 8)
    for group in _groups(layout, blocks, row_bytes):
        rows, at = _decompressed(data, layout, group, row_bytes), 0
        for block in group:
            yield block, _numbers(rows[at : at + block.rows], layout, together)
            at += block.rows


def _groups(layout: Layout, blocks: list[_Block], row_bytes: int) -> Iterator[list[_Block]]:
    """Blocks that are decompressed together; each of them but a last one is of full height."""
    alone = layout.compression in (UNCOMPRESSED, LZMA, *DEFLATE)
    most = 1 if alone else max(1, GROUP // (row_bytes * layout.tile[0]))
    group: list[_Block] = []
    for block in blocks:
        group.append(block)
        if len(group) == most or block.rows < layout.tile[0]:
            yield group
            group = []
    if group:
        yield group


def _content(data: Data, layout: Layout, block: _Block, size: int | None = None) -> bytes:
    content = data[block.offset : block.offset + (block.size or 0 if size is None else size)]
    return _REVERSED[np.frombuffer(content, np.uint8)].tobytes() if layout.reversed_bits else content


def _decompressed(
    data: Data, layout: Layout, group: list[_Block], row_bytes: int
) -> UInt8[np.ndarray, "r row_bytes"]:
    rows = sum(block.rows for block in group)
    wanted = rows * row_bytes
    if layout.compression == UNCOMPRESSED:
        content = _content(data, layout, group[0], wanted)
    elif layout.compression in DEFLATE or layout.compression == LZMA:
        is_lzma = layout.compression == LZMA
        machine = lzma.LZMADecompressor(memlimit=LZMA_MEMORY) if is_lzma else zlib.decompressobj()
        try:
            content = machine.decompress(_content(data, layout, group[0]), wanted)
        except (zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"damaged or cut short ({error})") from error
    else:
        contents = [_content(data, layout, block) for block in group]
        try:
            with TiffImageFile(io.BytesIO(_as_bytes_picture(contents, layout, rows, row_bytes))) as image:
                return np.asarray(image)
        except (OSError, SyntaxError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"damaged or cut short ({error})") from error
    if len(content) < wanted:
        raise ValueError(_CUT)
    return np.frombuffer(content, np.uint8).reshape(rows, row_bytes)


def _as_bytes_picture(contents: list[bytes], layout: Layout, rows: int, row_bytes: int) -> bytes:
    """A TIFF file, gray and of 8 bits, whose pixels are the bytes that these strips hold."""
    count = len(contents)
    tags = {256: row_bytes, 257: rows, 258: 8, 259: layout.compression, 262: 1, 273: 0, 277: 1}
    tags |= {278: layout.tile[0], 279: 0}
    start = 8 + 2 + 12 * len(tags) + 4
    first = start + (8 * count if count > 1 else 0)
    sizes = [len(content) for content in contents]
    offsets = [first + sum(sizes[:i]) for i in range(count)] if count < 2 else _running(first, sizes)
    if first + sum(sizes) >= 2**32:
        raise ValueError("a strip of more than 4 GB")
    tags[273], tags[279] = (offsets[0], sizes[0]) if count == 1 else (start, start + 4 * count)
    directory = b"".join(
        struct.pack("<HHII", tag, 4, count if tag in (273, 279) else 1, value) for tag, value in tags.items()
    )
    arrays = struct.pack(f"<{2 * count}I", *offsets, *sizes) if count > 1 else b""
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + b"\0\0\0\0"
    return b"".join([head, arrays, *contents])


def _running(first: int, sizes: list[int]) -> list[int]:
    return [first, *(first + np.cumsum(sizes[:-1])).tolist()]


def _numbers(
    rows: UInt8[np.ndarray, "r row_bytes"], layout: Layout, together: int
) -> Shaped[np.ndarray, "r c s"]:
    """Bytes as samples `[rows, columns of a tile, samples that lie together]`, the predictor undone."""
    columns, size = layout.tile[1], layout.depth // 8
    if layout.depth % 8 or layout.depth == 24:
        return _unpacked(rows, layout.depth, columns * together).reshape(len(rows), columns, together)
    if layout.predictor == 3:
        # Each row: the first bytes of all its samples, then the second ones, ..., as differences
        sums = rows.reshape(len(rows), -1, together).cumsum(1, dtype=np.uint8)
        planes = sums.reshape(len(rows), size, columns * together).swapaxes(1, 2)
        numbers = np.ascontiguousarray(planes).view(f">f{size}")
    else:
        numbers = np.ascontiguousarray(rows).view(f"{layout.order}{layout.kind}{size}")
    numbers = numbers.reshape(len(rows), columns, together)
    native = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    if layout.predictor == 2:
        native = native.cumsum(1, dtype=native.dtype)
    return native


def _unpacked(rows: UInt8[np.ndarray, "r row_bytes"], bits: int, count: int) -> Integer[np.ndarray, "r n"]:
    """Numbers of 1 to 15 bits, each row's first in the upper bits of its first byte, scaled to 8 or 16 bits."""
    width = 8 if bits < 8 else 16
    out = np.empty((len(rows), count), np.uint8 if bits < 8 else np.uint16)
    step = max(1, _CHUNK // count)
    for at in range(0, len(rows), step):
        part = rows[at : at + step]
        digits = np.zeros((len(part), count, width), np.uint8)
        digits[..., width - bits :] = np.unpackbits(part, axis=1)[:, : count * bits].reshape(-1, count, bits)
        codes = np.packbits(digits, axis=-1)
        codes = codes[..., 0] if width == 8 else codes.view(">u2")[..., 0]
        out[at : at + step] = _full_range(codes, bits, width)
    return out


def _full_range(codes: Integer[np.ndarray, "*shape"], bits: int, width: int) -> Integer[np.ndarray, "*shape"]:
    top, most = 2**bits - 1, 2**width - 1
    return (codes.astype(np.uint32) * most + top // 2) // top


def _picture(content: bytes, layout: Layout, block: _Block) -> Shaped[np.ndarray, "r c s"]:
    """A strip or tile that is a picture of its own, JPEG 2000 or WebP."""
    form = "WEBP" if layout.compression == WEBP else "JPEG2000"
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if image.size != (layout.tile[1], block.rows):
                raise ValueError(f"a tile of {image.size[0]} x {image.size[1]} px")
            pixels = np.asarray(image).reshape(block.rows, layout.tile[1], -1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"damaged or cut short ({form}: {error})") from error
    together = 1 if layout.separate else layout.samples
    if pixels.shape[-1] == 3 and together == 4 and layout.compression == WEBP:  # all of it is opaque
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], -1)
    if pixels.shape[-1] != together:
        raise ValueError(f"damaged ({form} of {pixels.shape[-1]} channels for {together})")
    if layout.depth == 8:
        return pixels
    if layout.depth < 8:
        return _full_range(pixels >> (8 - layout.depth), layout.depth, 8).astype(np.uint8)
    if pixels.dtype == np.uint8:  # Pillow reduces colours
        inside = pixels[: layout.height - block.row, : layout.width - block.column]
        jpeg_2000.check_reduced(inside, layout.depth)
        return pixels * np.uint16(257)
    return _full_range(pixels >> (16 - layout.depth), layout.depth, 16).astype(np.uint16)
