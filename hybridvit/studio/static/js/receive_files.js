/** Files that are dropped anywhere on the page or pasted. */
export function receiveFiles(addFiles) {
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0; // dragenter and dragleave come for every element on the way
    const mark = () => document.body.toggleAttribute("data-dropping", depth > 0);
    addEventListener("dragenter", (event) => {
        if (!hasFiles(event)) return;
        depth++;
        mark();
    });
    addEventListener("dragleave", (event) => {
        if (!hasFiles(event)) return;
        depth = Math.max(depth - 1, 0);
        mark();
    });
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    const reset = () => {
        depth = 0;
        mark();
    };
    addEventListener("drop", reset, { capture: true }); // also where a panel takes the file
    addEventListener("drop", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        addFiles([...event.dataTransfer.files]);
    });
    addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (!files.length) return;
        event.preventDefault();
        addFiles(files);
    });
}
