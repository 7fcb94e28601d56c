/** A saved picture: the photograph's EXIF and XMP go with it, and the statement of what was done. */

import { blocksOf, fitsSegment, withBlocks } from "./containers.js";
import { uprightExif } from "./exif.js";
import { stated } from "./statement.js";

const LONG = ["hints", "palette", "protected"]; // what the hints' file says too

/** @param {Blob} file */
export const metadataOf = blocksOf;

/**
 * @param {Blob} blob a JPEG or PNG
 * @param {{width: number, height: number, fields: Record<string, any>}} said its size, and the statement's fields
 * @param {{exif: Uint8Array<ArrayBuffer> | null, xmp: string | null}} [own] the photograph's metadata
 * @returns {Promise<Blob>}
 */
export async function withMetadata(blob, { width, height, fields }, own = { exif: null, xmp: null }) {
    const exif = own.exif && uprightExif(own.exif.slice(), width, height);
    let packet = stated(own.xmp, fields);
    if (blob.type === "image/jpeg" && !fitsSegment(packet)) {
        const short = Object.fromEntries(Object.entries(fields).filter(([name]) => !LONG.includes(name)));
        short.left_out = `${LONG.join(", ")}: too long for a JPEG's packet; they are in the hints' file`;
        packet = stated(own.xmp, short);
        if (!fitsSegment(packet)) packet = stated(null, short);
    }
    return withBlocks(blob, exif, packet);
}
