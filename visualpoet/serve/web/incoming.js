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
    const images = [...files].filter((f) => f.type.startsWith("image/"));
    const chosen = images.length ? images : [...files];
    if (chosen.length) enter(chosen);
  };
  watchExamples(tryExample);
  watchButtons(take);
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take(event.clipboardData.files);
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
  document.addEventListener("dragenter", () => dragging(1));
  document.addEventListener("dragleave", () => dragging(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(0);
    take(event.dataTransfer.files);
  });
}
