// Three ways to take a poem along.

/** A browser that lets no page use its clipboard. */
export class NoClipboard extends Error {
  constructor() {
    super("This browser lets no page copy. Mark the poem, and copy it by hand.");
  }
}

/** Puts a text on the clipboard. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages that are not served over TLS have no clipboard of the new kind.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new NoClipboard();
  }
}

/**
 * Saves a card among the downloads.
 *
 * @param {Blob} card
 * @param {string} name Of the photograph.
 */
export function save(card, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(card);
  link.download = fileName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const fileName = (name) => `${name}-poem.png`;

/** Whether this browser can hand things to other apps, as phones do. */
export const canShare = "share" in navigator;

/** Hands the text to another app, and the card where pictures are taken. */
export async function share(text, card, name) {
  const files = [new File([card], fileName(name), { type: card.type })];
  const picture = navigator.canShare?.({ files }) ? { files } : {};
  try {
    await navigator.share({ text, ...picture });
  } catch (error) {
    if (error.name !== "AbortError") throw error; // the reader thought better
  }
}
