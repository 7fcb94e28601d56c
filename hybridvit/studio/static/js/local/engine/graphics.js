/** The graphics processor, where the browser lets a page compute on it (W3C "WebGPU"). */

const LIMITS = [ // that onnxruntime uses as far as there are more than a page gets unasked
    "maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupsPerDimension", "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ",
];
const FEATURES = ["shader-f16", "subgroups"];

/** @returns {Promise<{device: any, why: string}>} the device, or null and why there is none that helps */
export async function findGraphics() {
    const { gpu } = /** @type {any} */ (navigator);
    const none = (why) => ({ device: null, why });
    if (!gpu) return none("this browser does not offer WebGPU");
    try {
        const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
        if (!adapter) return none("no graphics processor that WebGPU could use");
        if (adapter.info.isFallbackAdapter) return none("WebGPU is there, but without a graphics processor");
        const device = await adapter.requestDevice({
            requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
            requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
        });
        return { device, why: "" };
    } catch (error) {
        return none(`WebGPU refuses (${error.message})`);
    }
}
