/** The dialog that copies accepted results into a folder, one after the other: it can be closed and gone on with. */

const FOLDER = "hybridvit-review-export";
const $ = (id) => /** @type {any} */ (document.getElementById(id)); // elements of each kind

/**
 * @param {import("../api.js").Api} api
 * @param {() => import("./queue.js").Item[]} accepted those to export
 * @param {() => Promise<any>} settled ends when what was said is kept
 */
export function createExport(api, accepted, settled) {
    const dialog = $("export-dialog");
    let running = false;

    const say = (text) => ($("export-said").textContent = text);

    async function run() {
        const items = accepted();
        const folder = $("export-folder").value;
        if (!folder.trim()) return say("Name a folder first.");
        running = true;
        $("export-start").disabled = true;
        Object.assign($("export-progress"), { hidden: false, max: items.length, value: 0 });
        let copied = 0;
        try {
            await api.checkFolder(folder);
            localStorage.setItem(FOLDER, folder);
            for (const [index, item] of items.entries()) {
                if (!running) return say(`Stopped after ${index} of ${items.length}; Export goes on from there.`);
                copied += Number((await api.exportResult(item.id, folder)).copied);
                $("export-progress").value = index + 1;
                say(`${index + 1} of ${items.length}`);
            }
            say(`${items.length} of ${items.length} there: ${copied} copied, ${items.length - copied} were there already`);
        } catch (error) {
            say(`${error.message} Export goes on where it stopped.`);
        } finally {
            running = false;
            $("export-start").disabled = false;
        }
    }

    $("export").addEventListener("click", async () => {
        $("export-what").textContent = "Keeping what you said last …";
        $("export-folder").value ||= localStorage.getItem(FOLDER) ?? "";
        $("export-start").disabled = true;
        dialog.showModal();
        await settled();
        const count = accepted().length;
        $("export-what").textContent = count
            ? `${count} accepted ${count === 1 ? "result" : "results"}; what lies there already is left as it is.`
            : "Nothing is accepted yet.";
        $("export-start").disabled = running || !count;
    });
    $("export-start").addEventListener("click", run);
    $("export-form").addEventListener("submit", () => (running = false));
    dialog.addEventListener("cancel", () => (running = false));
}
