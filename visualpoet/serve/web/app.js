// The page: a photograph on one side, its poem on the other.

import * as album from "./album.js";
import * as fields from "./fields.js";
import * as incoming from "./incoming.js";
import * as kept from "./kept.js";
import * as pictures from "./picture.js";
import * as server from "./server.js";
import * as taking from "./taking.js";

const NUM_VERSIONS = 8;
const TRIES = 4; // for a line that is not the one that stood there
const BETWEEN_LINES = 180; // ms

const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");

let entry = null; // of the album: the photograph that is open, and its poem
let work = new AbortController(); // what is under way

// --- the poem on the page

const items = () => [...$("poem").children];
const textOf = (item) => item.querySelector(".text");
const lines = () => items().map((item) => textOf(item).textContent);
// The poem is whole, and the server knows its photograph.
const isKnown = () => Boolean(entry?.poem?.token);

function addLine(text) {
  const item = $("line").content.cloneNode(true).firstElementChild;
  const number = items().length + 1;
  textOf(item).textContent = text;
  const button = item.querySelector("button");
  button.setAttribute("aria-label", `Write line ${number} again`);
  button.setAttribute("aria-disabled", String(isBusy() || !isKnown()));
  button.title = "Write this line again";
  button.addEventListener("click", () => {
    if (!isBusy() && isKnown()) run((signal) => writeAgain(item, signal));
  });
  $("poem").append(item);
}

function show(poem) {
  if (poem.join("\n") === lines().join("\n")) return;
  $("poem").replaceChildren();
  poem.forEach(addLine);
}

// Screen readers hear lines from here, without the buttons beside them.
function tell(text) {
  const line = document.createElement("p");
  line.textContent = text;
  $("told").append(line);
}

// The page keeps its height meanwhile, so that nothing jumps.
function clear() {
  $("poem").style.minHeight = `${$("poem").offsetHeight}px`;
  $("poem").replaceChildren();
}

/** Shows the poem of the photograph that is open, as it stands. */
function showPoem() {
  show(entry.poem.lines);
  $("clues").textContent = entry.poem.clues.join(", ");
}

/** Puts a poem in the place of the one before, which undo brings back. */
function settle(poem) {
  if (entry.poem) entry.past.push(entry.poem);
  entry.poem = poem;
  showPoem();
  keep();
}

function keep() {
  const { began, thumbnail } = entry;
  kept.keep({ began, thumbnail, poem: entry.poem.lines.join("\n") });
}

// --- one thing at a time

const isBusy = () => document.body.hasAttribute("data-busy");

function busy(is) {
  document.body.toggleAttribute("data-busy", is);
  // Not on what holds the log: it would be silent until the poem is done.
  $("poem").setAttribute("aria-busy", String(is));
  for (const id of ["more", "compare", "copy", "card", "share", "undo"]) {
    $(id).setAttribute("aria-disabled", String(is || !usable(id)));
  }
  for (const button of document.querySelectorAll(".again")) {
    button.setAttribute("aria-disabled", String(is || !isKnown()));
  }
  for (const button of document.querySelectorAll("#candidates button")) {
    button.setAttribute("aria-disabled", String(is));
  }
  if (!is) $("poem").style.minHeight = "";
}

function usable(id) {
  if (!entry?.poem) return false;
  if (id === "undo") return entry.past.length > 0;
  return id !== "more" || (!entry.poem.ended && roomForMore());
}

function roomForMore() {
  return isKnown() && lines().length < Number($("lines").max);
}

function fail(error) {
  const kinds = [server.Refused, pictures.NoPicture, taking.NoClipboard];
  const told = kinds.some((kind) => error instanceof kind);
  if (!told) console.error(error);
  $("problem").textContent = told ? error.message : "Something went wrong on this page.";
  $("status").textContent = "";
  $("arriving").textContent = "";
}

/** Ends what is under way, does the task, and shows what went wrong. */
async function run(task) {
  work.abort();
  const mine = (work = new AbortController());
  $("problem").textContent = "";
  $("told").replaceChildren();
  busy(true);
  try {
    await task(mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) {
      fail(error);
      if (entry?.poem) showPoem(); // whatever was begun, this or before it
    }
  }
  if (mine === work) busy(false);
}

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

// --- tasks

/** Takes photographs into the album and opens the first of them. */
async function choose(files, signal) {
  const waiting = [...files];
  const broken = [];
  $("arriving").textContent = "Opening the photograph …";
  const next = async () => {
    while (waiting.length) {
      try {
        return await enter(waiting.shift());
      } catch (error) {
        broken.push(error); // the others come in all the same
      }
    }
    return null;
  };
  const others = async () => {
    while (await next());
    if (broken.length) fail(pictures.NoPicture.of(broken));
  };
  const first = await next();
  if (!first) throw pictures.NoPicture.of(broken);
  // The others come in meanwhile, and hold up no button.
  const rest = others();
  rest.catch(fail);
  await open(first, signal);
}

async function enter(file) {
  const prepared = await pictures.prepare(file);
  const name = file.name?.replace(/\.\w+$/, "") || "photograph";
  const entered = new album.Entry(prepared, name);
  album.add(entered, () => run((signal) => open(entered, signal)));
  return entered;
}

/** Shows a photograph with its poem, which is written if there is none. */
async function open(chosen, signal) {
  signal.throwIfAborted();
  $("arriving").textContent = "";
  entry = chosen;
  album.mark(entry);
  $("photograph").src = entry.url;
  $("clues").textContent = "";
  $("versions").hidden = true;
  $("status").textContent = "";
  makeRoom();
  if (!entry.poem) {
    await write(signal);
    return;
  }
  showPoem();
  fields.restore(entry.poem.fields);
}

// From the invitation to the page for reading.
function makeRoom() {
  if (document.body.dataset.view === "poem") return;
  document.body.dataset.view = "poem";
  for (const id of ["frame", "reading"]) $(id).hidden = false;
  $("choose").textContent = "Add photographs";
  $("take").textContent = "Take one";
  $("top").append($("pick"));
  $("reading-title").focus({ preventScroll: true });
}

async function write(signal) {
  clear();
  $("versions").hidden = true;
  $("status").textContent = "Looking at the photograph …";
  await receive(fields.values(), signal);
}

async function receive(values, signal) {
  const events = server.write(entry.photograph, fields.controls(), signal);
  let seen; // of the photograph: clues and token
  for await (const [kind, data] of events) {
    signal.throwIfAborted();
    if (kind === "clues") seen = notice(data);
    if (kind === "line") {
      addLine(data.line);
      tell(data.line);
      if (!still.matches) await pause(BETWEEN_LINES);
      signal.throwIfAborted();
    }
    if (kind === "done") finish(data, { ...seen, fields: values });
  }
}

function notice({ clues, token }) {
  $("clues").textContent = clues.join(", ");
  $("status").textContent = "Writing …";
  return { clues, token };
}

function finish({ poem, candidates }, from) {
  settle({ ...from, lines: poem.split("\n"), candidates, ended: false });
  $("status").textContent = "";
}

/** Writes one line again and keeps the others. */
async function writeAgain(item, signal) {
  const before = lines();
  const number = items().indexOf(item);
  item.setAttribute("aria-busy", "true");
  try {
    const line = await differentLine(before, number, signal);
    if (line === null) {
      $("status").textContent = "No other line comes to mind.";
      return;
    }
    textOf(item).textContent = line;
    settle({ ...entry.poem, lines: lines() });
    tell(line);
    $("status").textContent = "";
  } finally {
    item.removeAttribute("aria-busy");
  }
}

async function differentLine(before, number, signal) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { line } = await nextLine(before.slice(0, number), before.length, signal);
    if (line && line !== before[number]) return line;
  }
  return null;
}

async function nextLine(before, number, signal) {
  // The opening stands in the lines before, and the token knows its voice.
  const { opening, voice, ...asked } = fields.controls();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const poem = before.join("\n");
  const { token } = entry.poem;
  const given = { ...asked, token, poem, lines: number, seed };
  const answer = await server.writeLine(given, signal);
  signal.throwIfAborted();
  return answer;
}

async function writeMore(signal) {
  const before = lines();
  const { line } = await nextLine(before, before.length + 1, signal);
  if (line) {
    settle({ ...entry.poem, lines: [...before, line] });
    tell(line);
  }
  entry.poem.ended = !line;
  $("status").textContent = line ? "" : "The poem ends here.";
}

function compare() {
  const best = entry.poem.candidates.slice(0, NUM_VERSIONS);
  $("candidates").replaceChildren(...best.map(version));
  $("versions").hidden = false;
  $("versions-title").focus();
}

function version(candidate, index) {
  const item = $("candidate").content.cloneNode(true).firstElementChild;
  item.querySelector("h3").textContent = `Version ${index + 1}`;
  item.querySelector(".poem").textContent = candidate.poem;
  for (const value of item.querySelectorAll("dd")) {
    const number = candidate[value.dataset.name].toFixed(2);
    value.textContent = number.replace("-", "\u2212");
  }
  const button = item.querySelector("button");
  label(button, "Use this one", index);
  button.addEventListener("click", () => {
    if (!isBusy()) use(candidate.poem, item);
  });
  return item;
}

function label(button, words, index) {
  button.textContent = words;
  button.setAttribute("aria-label", `${words}, version ${index + 1}`);
}

function use(poem, item) {
  settle({ ...entry.poem, lines: poem.split("\n"), ended: false });
  [...$("candidates").children].forEach((other, index) => {
    other.toggleAttribute("data-chosen", other === item);
    const words = other === item ? "Chosen" : "Use this one";
    label(other.querySelector("button"), words, index);
  });
  busy(false);
  $("reading-title").focus({ preventScroll: true });
  $("reading").scrollIntoView({ behavior: still.matches ? "auto" : "smooth" });
}

function undo() {
  entry.poem = entry.past.pop();
  $("versions").hidden = true; // of the poem that is gone
  showPoem();
  fields.restore(entry.poem.fields);
  keep();
  busy(false);
  $("status").textContent = "The poem is as it was before.";
}

// --- taking it along

const text = () => lines().join("\n");
const card = () => pictures.drawCard($("photograph"), lines());

async function copy() {
  await taking.copy(text());
  $("copy").focus();
  $("status").textContent = "Copied.";
}

async function save() {
  taking.save(await card(), entry.name);
  $("status").textContent = "Saved as a picture.";
}

let sharing = false; // a second time, browsers refuse

async function share() {
  if (sharing) return;
  sharing = true;
  try {
    await taking.share(text(), await card(), entry.name);
  } finally {
    sharing = false;
  }
}

function forget() {
  kept.clear();
  $($("reading").hidden ? "choose" : "reading-title").focus();
}

// --- buttons

function onClick(id, task) {
  $(id).addEventListener("click", () => {
    if ($(id).getAttribute("aria-disabled") === "true") return;
    $("problem").textContent = "";
    task();
  });
}

onClick("another", () => {
  $("seed").value = Number($("seed").value) + 1;
  run(write);
});
onClick("more", () => run(writeMore));
onClick("compare", compare);
onClick("copy", () => copy().catch(fail));
onClick("card", () => save().catch(fail));
onClick("share", () => share().catch(fail));
onClick("undo", undo);
onClick("forget", forget);

fields.watch(() => run(write));
incoming.watch(
  (files) => run((signal) => choose(files, signal)),
  (address) => {
    run(async (signal) => choose([await server.example(address, signal)], signal));
  },
);
$("share").hidden = !taking.canShare;
kept.show();
fields.show();
busy(false);
