/**
 * JPEG, PNG and WebP files as blocks: the EXIF and XMP that a photograph came with, and the same put into a saved file.
 * Sources: CIPA DC-008 and ISO 16684-3 (JPEG's APP1), the PNG specification 3 (eXIf, iTXt), Google's WebP container.
 */

const EXIF = "Exif\0\0";
const XMP = "http://ns.adobe.com/xap/1.0/\0";
const XMP_TEXT = "XML:com.adobe.xmp\0\0\0\0\0"; // not compressed, no language
const SEGMENT = 65_533; // bytes that a JPEG's segment has room for
const HEAD = 2 ** 22; // bytes of a file that are looked at: metadata come before the pixels, but for WebP

const latin = (bytes) => String.fromCharCode(...bytes);
const coded = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const startsWith = (bytes, text) => latin(bytes.subarray(0, text.length)) === text;

/**
 * @param {Blob} file
 * @returns {Promise<{exif: Uint8Array<ArrayBuffer> | null, xmp: string | null, bits: number}>} `bits` of a channel, 8 where unknown
 */
export async function blocksOf(file) {
    const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    const found = { exif: null, xmp: null, bits: 8 };
    const blocks = bytes[0] === 0xff && bytes[1] === 0xd8 ? segments(bytes) : startsWith(bytes, "\x89PNG") ? chunks(bytes) : [];
    for (const [name, data] of blocks) {
        if (name === "APP1" && startsWith(data, EXIF)) found.exif ??= data.slice(EXIF.length);
        else if (name === "APP1" && startsWith(data, XMP)) found.xmp ??= text(data.subarray(XMP.length));
        else if (name === "eXIf") found.exif ??= data.slice();
        else if (name === "iTXt" && startsWith(data, XMP_TEXT)) found.xmp ??= text(data.subarray(XMP_TEXT.length));
        else if (name === "IHDR") found.bits = Math.max(data[8], 8);
    }
    if (startsWith(bytes, "RIFF") && latin(bytes.subarray(8, 12)) === "WEBP") await readWebp(file, found);
    return found;
}

const text = (bytes) => new TextDecoder().decode(bytes);

function* segments(bytes) {
    const view = new DataView(bytes.buffer);
    for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
        const marker = bytes[at + 1];
        if (marker === 0xda || marker === 0xd9) return;
        const size = view.getUint16(at + 2);
        if (marker === 0xe1) yield ["APP1", bytes.subarray(at + 4, at + 2 + size)];
        at += 2 + size;
    }
}

function* chunks(bytes) {
    const view = new DataView(bytes.buffer);
    for (let at = 8; at + 12 <= bytes.length; ) {
        const size = view.getUint32(at);
        const name = latin(bytes.subarray(at + 4, at + 8));
        if (name === "IDAT") return;
        yield [name, bytes.subarray(at + 8, at + 8 + size)];
        at += 12 + size;
    }
}

/** They may lie behind the pixels: only the chunks' heads are read on the way. */
async function readWebp(file, found) {
    for (let at = 12; at + 8 <= file.size; ) {
        const head = new DataView(await file.slice(at, at + 8).arrayBuffer());
        const [name, size] = [latin(new Uint8Array(head.buffer, 0, 4)), head.getUint32(4, true)];
        const data = async () => new Uint8Array(await file.slice(at + 8, at + 8 + size).arrayBuffer());
        if (name === "EXIF") {
            const exif = await data();
            found.exif ??= startsWith(exif, EXIF) ? exif.slice(EXIF.length) : exif;
        } else if (name === "XMP ") found.xmp ??= text(await data());
        at += 8 + size + (size % 2);
    }
}

/** Whether a JPEG has room for a packet. @param {string} packet */
export const fitsSegment = (packet) => new TextEncoder().encode(packet).length + XMP.length <= SEGMENT;

/**
 * The file with EXIF and XMP in it.
 * @param {Blob} file a JPEG or PNG without either @param {Uint8Array<ArrayBuffer> | null} exif @param {string} packet
 * @returns {Promise<Blob>}
 */
export async function withBlocks(file, exif, packet) {
    const xmp = new TextEncoder().encode(packet);
    if (file.type === "image/png") {
        const parts = exif ? [chunk("eXIf", [exif])] : [];
        parts.push(chunk("iTXt", [coded(XMP_TEXT), xmp]));
        const begin = 8 + 25; // the signature and IHDR
        return new Blob([file.slice(0, begin), ...parts.flat(), file.slice(begin)], { type: file.type });
    }
    const head = new DataView(await file.slice(0, 6).arrayBuffer());
    const begin = head.getUint16(2) === 0xffe0 ? 4 + head.getUint16(4) : 2; // JFIF's segment stays the first
    const parts = exif && exif.length + EXIF.length <= SEGMENT ? [segment(EXIF, exif)] : [];
    parts.push(segment(XMP, xmp));
    return new Blob([file.slice(0, begin), ...parts.flat(), file.slice(begin)], { type: file.type });
}

/** @param {string} name @param {Uint8Array<ArrayBuffer>} data @returns {Uint8Array<ArrayBuffer>[]} */
function segment(name, data) {
    const head = new Uint8Array(4 + name.length);
    new DataView(head.buffer).setUint32(0, 0xffe10000 + 2 + name.length + data.length);
    head.set(coded(name), 4);
    return [head, data];
}

/**
 * A PNG's chunk, its checksum with it.
 * @param {string} name @param {Uint8Array<ArrayBuffer>[]} data @returns {Uint8Array<ArrayBuffer>[]}
 */
export function chunk(name, data) {
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint32(0, data.reduce((sum, part) => sum + part.length, 0));
    head.set(coded(name), 4);
    let crc = crcOf(head.subarray(4), 0xffffffff);
    for (const part of data) crc = crcOf(part, crc);
    const foot = new Uint8Array(4);
    new DataView(foot.buffer).setUint32(0, ~crc >>> 0);
    return [head, ...data, foot];
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
});

function crcOf(bytes, crc) {
    for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
    return crc;
}
