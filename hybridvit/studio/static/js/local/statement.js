/**
 * What was done to a picture, said in its XMP packet as hybridvit/photo/provenance.py says it: under a namespace of our
 * own, beside IPTC's digital source type. The photograph's own properties stay, but for those of the old file's pixels.
 */

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const OWN = "urn:hybridvit:colorization:1:";
const IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";
const [TIFF, EXIF, PHOTOSHOP] = [
    "http://ns.adobe.com/tiff/1.0/",
    "http://ns.adobe.com/exif/1.0/",
    "http://ns.adobe.com/photoshop/1.0/",
];
const STALE = new Set(
    [
        [TIFF, "ImageWidth", "ImageLength", "Orientation", "BitsPerSample", "SamplesPerPixel", "PhotometricInterpretation"],
        [TIFF, "Compression", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning"],
        [EXIF, "PixelXDimension", "PixelYDimension", "ColorSpace"],
        [PHOTOSHOP, "ColorMode", "ICCProfile"],
        ["http://ns.adobe.com/xap/1.0/", "Thumbnails"],
        [IPTC, "DigitalSourceType"],
        ["http://ns.adobe.com/xmp/note/", "HasExtendedXMP"],
        ["http://ns.google.com/photos/1.0/camera/", "MotionPhoto", "MicroVideo", "MicroVideoOffset", "MicroVideoVersion"],
    ].flatMap(([space, ...names]) => names.map((name) => space + name)),
);
const STALE_SPACES = [
    OWN,
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
];
const EMPTY = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}"/></x:xmpmeta>`;

/**
 * @param {string | null} packet the photograph's own; one that cannot be read is replaced
 * @param {Record<string, any>} said names -> texts, or what JSON can hold
 * @returns {string} the packet with it
 */
export function stated(packet, said) {
    const document = parsed(packet) ?? parse(EMPTY);
    const rdf = document.getElementsByTagNameNS(RDF, "RDF")[0];
    let [about, source] = ["", null];
    for (const description of [...rdf.children]) {
        about = description.getAttributeNS(RDF, "about") || about;
        source ??= textOf(description, OWN, "original_source_type") ?? textOf(description, IPTC, "DigitalSourceType");
        const isStale = ({ namespaceURI, localName }) =>
            STALE.has(namespaceURI + localName) || STALE_SPACES.includes(namespaceURI);
        for (const node of [...description.children].filter(isStale)) node.remove();
        for (const node of [...description.attributes].filter(isStale)) description.removeAttributeNode(node);
        const isProperty = ({ namespaceURI, prefix }) => namespaceURI !== RDF && prefix !== "xmlns" && prefix !== null;
        if (!description.children.length && ![...description.attributes].some(isProperty)) description.remove();
    }
    const own = document.createElementNS(RDF, "rdf:Description");
    own.setAttributeNS(RDF, "rdf:about", about);
    const add = (space, name, value) => {
        const element = document.createElementNS(space, name);
        element.textContent = legal(typeof value === "string" ? value : JSON.stringify(value));
        own.append(element);
    };
    add(IPTC, "Iptc4xmpExt:DigitalSourceType", SOURCE_TYPE);
    const kept = source && source !== SOURCE_TYPE ? { original_source_type: source } : {};
    for (const [name, value] of Object.entries({ ...said, ...kept })) add(OWN, `hybridvit:${name}`, value);
    rdf.append(own);
    const text = new XMLSerializer().serializeToString(document.documentElement);
    return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n${text}\n<?xpacket end="w"?>`;
}

function parse(text) {
    const document = new DOMParser().parseFromString(text, "application/xml");
    return document.getElementsByTagName("parsererror").length ? null : document;
}

function parsed(packet) {
    if (!packet || packet.includes("<!DOCTYPE")) return null;
    const document = parse(packet.replace(/^[\0\s]+|[\0\s]+$/g, ""));
    return document?.getElementsByTagNameNS(RDF, "RDF").length === 1 ? document : null;
}

function textOf(description, space, name) {
    const element = [...description.children].find((node) => node.namespaceURI === space && node.localName === name);
    return (element?.textContent || description.getAttributeNS(space, name)) || null;
}

const legal = (text) => text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
