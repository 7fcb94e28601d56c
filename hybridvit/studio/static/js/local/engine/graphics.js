/** Whether the browser lets a page compute on the graphics processor (W3C "WebGPU"). */

/** @returns {Promise<string>} why not, or "" */
export async function whyNoGraphics() {
    const { gpu } = /** @type {any} */ (navigator);
    if (!gpu) return "this browser does not offer WebGPU";
    try {
        const adapter = await gpu.requestAdapter();
        if (!adapter) return "no graphics processor that WebGPU could use";
        return adapter.info.isFallbackAdapter ? "WebGPU is there, but without a graphics processor" : "";
    } catch (error) {
        return `WebGPU refuses (${error.message})`;
    }
}
