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
