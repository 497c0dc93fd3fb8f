// The last poems, kept in this browser and nowhere else.

const KEY = "visualpoet.poems";
const MOST = 12;

const $ = (id) => document.getElementById(id);

function read() {
  try {
    const poems = JSON.parse(localStorage.getItem(KEY));
    return poems.filter((one) => typeof one.poem === "string");
  } catch {
    return []; // nothing yet, no storage, or what this page never wrote
  }
}

function write(poems) {
  try {
    localStorage.setItem(KEY, JSON.stringify(poems));
  } catch {
    // No storage, or it is full: nothing is kept.
  }
}

/**
 * Keeps a poem, in place of an earlier one for the same photograph.
 *
 * @param {{began: number, poem: string, thumbnail: string}} poem
 */
export function keep(poem) {
  const others = read().filter((one) => one.began !== poem.began);
  write([poem, ...others].slice(0, MOST));
  show();
}

/** Forgets all poems. */
export function clear() {
  write([]);
  show();
}

/** Shows what is kept, the newest first. */
export function show() {
  const poems = read();
  $("keepsakes").replaceChildren(...poems.map(keepsake));
  $("kept").hidden = poems.length === 0;
}

function keepsake({ poem, thumbnail }) {
  const item = $("keepsake").content.cloneNode(true).firstElementChild;
  item.querySelector("img").src = thumbnail;
  item.querySelector(".poem").textContent = poem;
  return item;
}
