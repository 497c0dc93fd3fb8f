// Five ways by which photographs come in.

const $ = (id) => document.getElementById(id);

/**
 * Watches for photographs.
 *
 * @param {(files: File[]) => void} enter Takes some.
 * @param {(address: string) => void} tryExample Takes one of the examples.
 */
export function watch(enter, tryExample) {
  const take = (files) => {
    // Browsers know no type of some pictures, such as HEIC.
    const images = [...files].filter((f) => /^(image\/|$)/.test(f.type));
    const chosen = images.length ? images : [...files];
    if (chosen.length) enter(chosen);
  };
  watchExamples(tryExample);
  watchButtons(take);
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // Office puts a picture of the words beside them.
    const isText = types.includes("text/plain") && event.target.closest?.("input");
    if (files.length && !isText) take(files);
  });
  watchDrops(take);
}

function watchExamples(tryExample) {
  for (const button of document.querySelectorAll("#examples button")) {
    const address = button.querySelector("img").getAttribute("src");
    button.addEventListener("click", () => tryExample(address));
  }
}

function watchButtons(take) {
  for (const [button, input] of [["choose", "chosen"], ["take", "taken"]]) {
    $(button).addEventListener("click", () => $(input).click());
    $(input).addEventListener("change", () => {
      take($(input).files);
      $(input).value = ""; // so that the same file can be chosen again
    });
  }
}

function watchDrops(take) {
  let inside = 0; // dragenter and dragleave come for every element passed
  const dragging = (change) => {
    inside = change === 0 ? 0 : inside + change;
    document.body.toggleAttribute("data-dragging", inside > 0);
  };
  // Words may be dropped into a field as ever.
  const listen = (name, hear) =>
    document.addEventListener(name, (event) => {
      if (event.dataTransfer.types.includes("Files")) hear(event);
    });
  listen("dragenter", () => dragging(1));
  listen("dragleave", () => dragging(-1));
  listen("dragover", (event) => event.preventDefault());
  listen("drop", (event) => {
    event.preventDefault();
    dragging(0);
    take(event.dataTransfer.files);
  });
}
