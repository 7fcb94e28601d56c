/** Elements, made without markup, so that no text is ever read as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties] `class`, `text`, `on: {event: listener}`, `data: {name: value}`; whatever else is an
 *     attribute: true stands for an empty one, false, null and undefined for none
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, { class: name, text, on = {}, data = {}, ...attributes } = {}, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    Object.assign(element.dataset, data);
    for (const [key, value] of Object.entries(attributes)) {
        if (value === true) element.setAttribute(key, "");
        else if (value !== false && value != null) element.setAttribute(key, value);
    }
    for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
    element.append(...children);
    return element;
}

const coming = new WeakMap(); // images -> the address that is awaited for them

/**
 * Gives an image its address, at once or when it comes; of several the last one counts.
 * @param {HTMLImageElement} image @param {string | Promise<string>} address
 */
export async function setPicture(image, address) {
    coming.set(image, address);
    if (typeof address === "string") image.src = address;
    else {
        const src = await address.catch(() => null);
        if (coming.get(image) !== address) return;
        if (src === null) image.dispatchEvent(new Event("error"));
        else image.src = src;
    }
}

/**
 * Lets the browser save what is at an address.
 * @param {{href: string, name: string}} file `name` may be empty, where the answer says it
 */
export function download({ href, name }) {
    const anchor = make("a", { href, download: name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
}

/**
 * @param {string} name of a symbol in index.html, without its "i-"
 * @returns {SVGSVGElement} decoration: hidden from screen readers
 */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
}
