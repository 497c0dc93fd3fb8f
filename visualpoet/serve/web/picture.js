// Photographs before they are sent, and the card that is saved at the end.

const LONGEST_SIDE = 1024;
const THUMBNAIL_SIDE = 192;
// What is smaller than this goes as it is.
const LARGE = { bytes: 1e6, side: 4096 };
const SENT_AS_IT_IS = ["jpeg", "png", "webp", "gif", "bmp", "avif"].map(
  (kind) => `image/${kind}`,
);

/** A file that the browser cannot read as a picture. */
export class NoPicture extends Error {
  constructor(name = "That file") {
    super(
      `${name} is not a picture this browser can read. A JPEG or PNG works; ` +
        "Safari reads the HEIC of an iPhone.",
    );
  }

  /** One for all that were chosen together and cannot be read. */
  static of(broken) {
    if (broken.length === 1) return broken[0];
    const all = new NoPicture();
    all.message = broken.map((error) => error.message).join(" ");
    return all;
  }
}

function toBlob(canvas, type, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new NoPicture())),
      type,
      quality,
    );
  });
}

/**
 * Makes a photograph fit to be sent: upright, and of a size for slow links.
 *
 * @param {File} file
 * @returns {Promise<{photograph: Blob, thumbnail: string}>} The file itself if
 *   it is small already, and a data URL.
 */
export async function prepare(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new NoPicture(file.name);
  }
  const thumbnail = draw(bitmap, THUMBNAIL_SIDE).toDataURL("image/jpeg", 0.7);
  // A copy: the file may be gone when another poem is asked for.
  const photograph = isSmall(file, bitmap)
    ? new Blob([await file.arrayBuffer()], { type: file.type })
    : await toBlob(draw(bitmap, LONGEST_SIDE), "image/jpeg", 0.9);
  bitmap.close();
  return { photograph, thumbnail };
}

function isSmall(file, { width, height }) {
  const small = file.size <= LARGE.bytes && Math.max(width, height) <= LARGE.side;
  return small && SENT_AS_IT_IS.includes(file.type);
}

function draw(bitmap, longestSide) {
  const scale = Math.min(longestSide / Math.max(bitmap.width, bitmap.height), 1);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  // JPEG has no transparency, and black is what would be left of it.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const CARD = { width: 1200, margin: 90, gap: 80, tallest: 1300, leading: 66 };
const FONT = `40px "Iowan Old Style", Palatino, "Palatino Linotype", Georgia, serif`;
const INDENT = 60;

// Breaks lines that are too long; what is left over is indented, as in print.
function typeset(context, lines) {
  const widest = CARD.width - 2 * CARD.margin;
  const rows = [];
  for (const line of lines) {
    let row = { text: "", indent: 0 };
    for (const word of line.split(" ")) {
      const longer = row.text ? `${row.text} ${word}` : word;
      const width = row.indent + context.measureText(longer).width;
      if (row.text && width > widest) {
        rows.push(row);
        row = { text: word, indent: INDENT };
      } else {
        row.text = longer;
      }
    }
    rows.push(row);
  }
  return rows;
}

/**
 * Draws the photograph with the poem beneath it.
 *
 * @param {HTMLImageElement} photograph
 * @param {string[]} lines
 * @returns {Promise<Blob>} A PNG.
 */
export async function drawCard(photograph, lines) {
  await photograph.decode();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  context.font = FONT;
  const rows = typeset(context, lines);
  const widths = rows.map((r) => r.indent + context.measureText(r.text).width);

  const { naturalWidth: width, naturalHeight: height } = photograph;
  const room = CARD.width - 2 * CARD.margin;
  const scale = Math.min(room / width, CARD.tallest / height);
  const below = CARD.margin + height * scale + CARD.gap;
  canvas.width = CARD.width;
  canvas.height = Math.round(below + rows.length * CARD.leading + CARD.margin);

  context.fillStyle = "#fbf9f4";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const left = (CARD.width - width * scale) / 2;
  context.imageSmoothingQuality = "high";
  context.drawImage(photograph, left, CARD.margin, width * scale, height * scale);

  // A new size of the canvas forgets the font.
  context.font = FONT;
  context.fillStyle = "#26231f";
  context.textBaseline = "middle";
  const start = (CARD.width - Math.max(...widths)) / 2;
  rows.forEach((row, number) => {
    const middle = below + (number + 0.5) * CARD.leading;
    context.fillText(row.text, start + row.indent, middle);
  });
  return toBlob(canvas, "image/png");
}
