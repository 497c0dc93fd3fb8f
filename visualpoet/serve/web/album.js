// The photographs of this visit, each with its poem.

const MOST = 24;

const $ = (id) => document.getElementById(id);

/** What is known of one photograph. */
export class Entry {
  constructor({ photograph, thumbnail }, name) {
    this.photograph = photograph; // the Blob that is sent
    this.thumbnail = thumbnail; // a data URL
    this.name = name; // of its file
    this.url = URL.createObjectURL(photograph);
    // As it stands there: {lines, candidates, fields, ended}, the clues and the
    // token by which the server knows the photograph.
    this.poem = null;
    this.past = []; // the poems before it
    // By which it is kept; two photographs never come in the same moment.
    this.began = performance.timeOrigin + performance.now();
    this.button = document.createElement("button");
  }
}

const entries = [];

/**
 * Adds a photograph to the strip, which is seen from the second one on.
 *
 * @param {Entry} entry
 * @param {() => void} open What a click does.
 */
export function add(entry, open) {
  entries.push(entry);
  const image = document.createElement("img");
  image.src = entry.thumbnail;
  image.alt = "";
  entry.button.type = "button";
  entry.button.append(image);
  entry.button.addEventListener("click", open);
  $("album").append(entry.button);
  if (entries.length > MOST) drop(entries.splice(oldest(), 1)[0]);
  entries.forEach((one, index) => {
    one.button.setAttribute("aria-label", `Photograph ${index + 1}, ${one.name}`);
  });
  $("album").hidden = entries.length < 2;
}

// The one that is open stays.
function oldest() {
  const isOpen = (entry) => entry.button.hasAttribute("aria-current");
  return entries.findIndex((entry) => !isOpen(entry));
}

function drop(entry) {
  URL.revokeObjectURL(entry.url);
  entry.button.remove();
}

/** Marks the photograph that is open. */
export function mark(open) {
  for (const entry of entries) {
    if (entry === open) entry.button.setAttribute("aria-current", "true");
    else entry.button.removeAttribute("aria-current");
  }
}
