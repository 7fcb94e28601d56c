/** EXIF as it was, but for what described the old file: its orientation, its size, its gray thumbnail. */

const ORIENTATION = 274;
const EXIF_DIRECTORY = 0x8769;
const [WIDTH, HEIGHT] = [0xa002, 0xa003];
const LONG = 4;

/**
 * @param {Uint8Array<ArrayBuffer>} exif a TIFF structure, changed in place
 * @param {number} width @param {number} height of the picture it is written into, which is upright
 * @returns {Uint8Array<ArrayBuffer> | null} null where it is none
 */
export function uprightExif(exif, width, height) {
    const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
    try {
        const order = view.getUint16(0);
        if (order !== 0x4949 && order !== 0x4d4d) return null;
        const little = order === 0x4949;
        const number = (at) => view.getUint32(at, little);
        const set = (at, value) =>
            view.getUint16(at + 2, little) === LONG
                ? view.setUint32(at + 8, value, little)
                : view.setUint16(at + 8, value, little);
        const entries = (at) => {
            const count = view.getUint16(at, little);
            return Array.from({ length: count }, (_, i) => at + 2 + 12 * i);
        };
        const first = number(4);
        for (const at of entries(first)) {
            const tag = view.getUint16(at, little);
            if (tag === ORIENTATION) set(at, 1);
            if (tag !== EXIF_DIRECTORY) continue;
            for (const inner of entries(number(at + 8))) {
                const name = view.getUint16(inner, little);
                if (name === WIDTH) set(inner, width);
                if (name === HEIGHT) set(inner, height);
            }
        }
        view.setUint32(first + 2 + 12 * entries(first).length, 0, little); // no thumbnail follows
        return exif;
    } catch (error) {
        if (error instanceof RangeError) return null; // it is cut off
        throw error;
    }
}
