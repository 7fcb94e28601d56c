/** NumPy's default_rng(seed).random(): SeedSequence and PCG64 (O'Neill 2014), so that a seed draws what Python draws. */

const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;
const [WIDE, LONG] = [(1n << 128n) - 1n, (1n << 64n) - 1n];
const [INIT_A, MULT_A, INIT_B, MULT_B, MIX_L, MIX_R] = [0x43b0d7e5, 0x931e8875, 0x8b51f9dd, 0x58f38ded, 0xca01f9dd, 0x4973f715];

/** Eight words that a whole number below 2^32 seeds. */
function words(seed) {
    let constant = INIT_A;
    const hash = (value) => {
        value = (value ^ constant) >>> 0;
        constant = Math.imul(constant, MULT_A) >>> 0;
        value = Math.imul(value, constant) >>> 0;
        return (value ^ (value >>> 16)) >>> 0;
    };
    const mix = (x, y) => {
        const value = (Math.imul(MIX_L, x) - Math.imul(MIX_R, y)) >>> 0;
        return (value ^ (value >>> 16)) >>> 0;
    };
    const pool = [seed, 0, 0, 0].map(hash);
    for (let from = 0; from < 4; from++) for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    constant = INIT_B;
    return Array.from({ length: 8 }, (_, i) => {
        let value = (pool[i % 4] ^ constant) >>> 0;
        constant = Math.imul(constant, MULT_B) >>> 0;
        value = Math.imul(value, constant) >>> 0;
        return BigInt((value ^ (value >>> 16)) >>> 0);
    });
}

/** @param {number} seed @returns {() => number} the numbers, 0..1, one after the other */
export function randomOf(seed) {
    const given = words(seed);
    const long = (i) => given[2 * i] | (given[2 * i + 1] << 32n);
    const start = (long(0) << 64n) | long(1);
    const increment = ((((long(2) << 64n) | long(3)) << 1n) | 1n) & WIDE;
    const step = (state) => (state * MULTIPLIER + increment) & WIDE;
    let state = step((step(0n) + start) & WIDE);
    return () => {
        state = step(state);
        const folded = ((state >> 64n) ^ state) & LONG;
        const turn = state >> 122n;
        const value = ((folded >> turn) | (folded << ((64n - turn) & 63n))) & LONG;
        return Number(value >> 11n) / 2 ** 53;
    };
}
