// Talks to the server. Addresses are relative, so that a proxy may serve the
// page below a path of its own.

/** What the server, or the way to it, refused; the message is for the reader. */
export class Refused extends Error {}

const REASONS = {
  401: "This server asks for a token, which this page does not have.",
  408: "The photograph took too long to arrive. Please try again.",
  409: "The model has changed meanwhile. Ask for another poem first.",
  413: "That photograph is too large for this server.",
  429: "The server is busy just now. Please try again in a moment.",
  500: "The server had an accident. Please try again.",
  502: "The server cannot be reached just now. Please try again in a moment.",
  503: "The server is busy just now. Please try again in a moment.",
  504: "The poem took too long. Please try again.",
};

const BROKEN = "The connection broke. Please try again.";
const LIMIT = 90_000; // ms; the server gives up before

async function refuse(response) {
  let said = "";
  try {
    said = (await response.json()).error ?? "";
  } catch {
    // A proxy answers in HTML; the status says enough.
  }
  const reason = REASONS[response.status];
  return new Refused(reason ?? `The server refused: ${said || response.status}`);
}

// Safari has no AbortSignal.any before 17.4.
function limit(signal) {
  const either = new AbortController();
  signal.addEventListener("abort", () => either.abort(signal.reason));
  setTimeout(() => either.abort(new Refused(REASONS[504])), LIMIT);
  return either.signal;
}

async function ask(address, { signal, ...request }) {
  let response;
  try {
    const given = { method: "POST", signal: limit(signal), ...request };
    response = await fetch(address, given);
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Refused) throw error;
    throw new Refused("The server cannot be reached. Are you online?");
  }
  if (!response.ok) throw await refuse(response);
  return response;
}

function form(photograph, controls) {
  const body = new FormData();
  body.append("photograph", photograph, "photograph");
  for (const [name, value] of Object.entries(controls)) body.append(name, value);
  return body;
}

/** Server-sent events, as pairs of name and data, from a body of bytes. */
export async function* events(body) {
  let waiting = "";
  for await (const text of chunks(body)) {
    const blocks = (waiting + text).split(/\r?\n\r?\n/);
    waiting = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: "" };
      for (const line of block.split(/\r?\n/)) {
        const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
        if (name) fields[name] = value;
      }
      if (fields.data) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}

// Safari cannot iterate over a ReadableStream.
async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await receive(reader.read());
    if (done) return;
    yield value;
  }
}

async function receive(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Refused) throw error;
    throw new Refused(BROKEN);
  }
}

/**
 * Writes a poem: `clues`, then one `line` after the other, then `done`, which
 * has them all, `seed` and `candidates`.
 *
 * @param {Blob} photograph
 * @param {Object<string, string>} controls seed, temperature and so on.
 * @param {AbortSignal} signal
 */
export async function* write(photograph, controls, signal) {
  const response = await ask("v1/poems", {
    body: form(photograph, controls),
    headers: { Accept: "text/event-stream" },
    signal,
  });
  let finished = false;
  for await (const [name, data] of events(response.body)) {
    if (name === "error") throw new Refused(data.error);
    finished ||= name === "done";
    yield [name, data];
  }
  if (!finished) throw new Refused(BROKEN);
}

/** Fetches one of the example pictures, as a file. */
export async function example(address, signal) {
  const response = await ask(address, { method: "GET", signal });
  const content = await receive(response.blob());
  const name = address.split("/").at(-1);
  return new File([content], name, { type: content.type });
}

/** Writes the line after those before: `{line, poem, finished}`. */
export async function writeLine(controls, signal) {
  const response = await ask("v1/lines", {
    body: JSON.stringify(controls),
    headers: { "Content-Type": "application/json" },
    signal,
  });
  return receive(response.json());
}
