// The page: a photograph on one side, its poem on the other.

import * as pictures from "./picture.js";
import * as server from "./server.js";

const NUM_VERSIONS = 8;
const TRIES = 4; // for a line that is not the one that stood there
const BETWEEN_LINES = 180; // ms
const AFTER_CHANGES = 350; // ms

const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");

let photograph = null; // the Blob that is sent
let name = "photograph"; // of its file
let token = null; // by which the server knows it
let ended = false; // the poem wants no further line
let work = new AbortController(); // what is under way
const past = []; // poems before this one, each a list of lines

// --- the poem on the page

const items = () => [...$("poem").children];
const textOf = (item) => item.querySelector(".text");
const lines = () => items().map((item) => textOf(item).textContent);

function addLine(text) {
  const item = $("line").content.cloneNode(true).firstElementChild;
  const number = items().length + 1;
  textOf(item).textContent = text;
  const button = item.querySelector("button");
  button.setAttribute("aria-label", `Write line ${number} again`);
  button.setAttribute("aria-disabled", String(isBusy() || token === null));
  button.title = "Write this line again";
  button.addEventListener("click", () => {
    if (!isBusy() && token !== null) run((signal) => writeAgain(item, signal));
  });
  $("poem").append(item);
}

function show(poem) {
  $("poem").replaceChildren();
  poem.forEach(addLine);
}

// Screen readers hear lines from here, without the buttons beside them.
function tell(text) {
  const line = document.createElement("p");
  line.textContent = text;
  $("told").append(line);
}

function remember() {
  if (lines().length) past.push(lines());
}

// The page keeps its height meanwhile, so that nothing jumps.
function clear() {
  $("poem").style.minHeight = `${$("poem").offsetHeight}px`;
  $("poem").replaceChildren();
}

// --- one thing at a time

const isBusy = () => document.body.hasAttribute("data-busy");

function busy(is) {
  document.body.toggleAttribute("data-busy", is);
  // Not on what holds the log: it would be silent until the poem is done.
  $("poem").setAttribute("aria-busy", String(is));
  for (const id of ["more", "compare", "copy", "card", "undo"]) {
    $(id).setAttribute("aria-disabled", String(is || !usable(id)));
  }
  for (const button of document.querySelectorAll(".again")) {
    button.setAttribute("aria-disabled", String(is || token === null));
  }
  if (!is) $("poem").style.minHeight = "";
}

function usable(id) {
  if (id === "undo") return past.length > 0;
  if (id === "more") return !ended && roomForMore();
  return id === "compare" ? photograph !== null : lines().length > 0;
}

function roomForMore() {
  const number = lines().length;
  return token !== null && number > 0 && number < Number($("lines").max);
}

function fail(error) {
  const told = error instanceof server.Refused || error instanceof pictures.NoPicture;
  if (!told) console.error(error);
  $("problem").textContent = told ? error.message : "Something went wrong on this page.";
  $("status").textContent = "";
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
    if (!mine.signal.aborted) fail(error);
  }
  if (mine === work) busy(false);
}

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

// --- what the reader asks of the poem

function isUntouched(field) {
  if (field.type === "range") return field.value === field.defaultValue;
  return Boolean(field.selectedOptions?.[0].defaultSelected);
}

function controls() {
  const fields = [...$("controls").elements].filter((e) => e.name && e.value);
  // What was not touched is left to the model.
  const meant = fields.filter((e) => !isUntouched(e));
  return Object.fromEntries(meant.map((e) => [e.name, e.value.trim()]));
}

function showControls() {
  for (const output of document.querySelectorAll("output")) {
    const slider = $(output.htmlFor.value);
    const untouched = slider.value === slider.defaultValue;
    output.textContent = untouched ? "as it likes" : slider.value;
    slider.setAttribute("aria-valuetext", output.textContent);
  }
}

// --- tasks

async function choose(file, signal) {
  const prepared = await pictures.prepare(file);
  signal.throwIfAborted();
  photograph = prepared;
  token = null; // that of the photograph before
  name = file.name?.replace(/\.\w+$/, "") || "photograph";
  past.length = 0;
  URL.revokeObjectURL($("photograph").src);
  $("photograph").src = URL.createObjectURL(photograph);
  $("clues").textContent = "";
  $("poem").replaceChildren();
  makeRoom();
  await write(signal);
}

// From the invitation to the page for reading.
function makeRoom() {
  if (document.body.dataset.view === "poem") return;
  document.body.dataset.view = "poem";
  for (const id of ["frame", "reading"]) $(id).hidden = false;
  $("choose").textContent = "New photograph";
  $("take").textContent = "Take one";
  $("top").append($("pick"));
  $("reading-title").focus({ preventScroll: true });
}

async function write(signal) {
  remember();
  clear();
  $("versions").hidden = true;
  $("status").textContent = "Looking at the photograph …";
  try {
    await receive(signal);
  } catch (error) {
    const refused = !signal.aborted && !lines().length && past.length > 0;
    if (refused) show(past.pop());
    throw error;
  }
}

async function receive(signal) {
  for await (const [kind, data] of server.write(photograph, controls(), signal)) {
    signal.throwIfAborted();
    if (kind === "clues") notice(data);
    if (kind === "line") {
      addLine(data.line);
      tell(data.line);
      if (!still.matches) await pause(BETWEEN_LINES);
      signal.throwIfAborted();
    }
    if (kind === "done") finish(data.poem);
  }
}

function notice(data) {
  token = data.token ?? null;
  $("clues").textContent = data.clues.join(", ");
  $("status").textContent = "Writing …";
}

function finish(poem) {
  const whole = poem.split("\n");
  if (whole.join("\n") !== lines().join("\n")) show(whole);
  ended = false;
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
    past.push(before);
    textOf(item).textContent = line;
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

function nextLine(before, number, signal) {
  const { opening, ...asked } = controls(); // it stands in the lines before
  const seed = Math.floor(Math.random() * 2 ** 31);
  const poem = before.join("\n");
  return server.writeLine({ ...asked, token, poem, lines: number, seed }, signal);
}

async function writeMore(signal) {
  const before = lines();
  const answer = await nextLine(before, before.length + 1, signal);
  if (answer.line) {
    past.push(before);
    addLine(answer.line);
    tell(answer.line);
  }
  ended = !answer.line;
  $("status").textContent = ended ? "The poem ends here." : "";
}

async function compare(signal) {
  $("status").textContent = `Writing ${NUM_VERSIONS} versions …`;
  const asked = { ...controls(), candidates: String(NUM_VERSIONS) };
  const answer = await server.writeMany(photograph, asked, signal);
  $("candidates").replaceChildren(...answer.candidates.map(version));
  $("versions").hidden = false;
  $("status").textContent = "";
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
  button.setAttribute("aria-label", `Read version ${index + 1}`);
  button.addEventListener("click", () => read(candidate.poem, item));
  return item;
}

function read(poem, item) {
  remember();
  show(poem.split("\n"));
  ended = false;
  for (const other of $("candidates").children) {
    other.toggleAttribute("data-chosen", other === item);
    const button = other.querySelector("button");
    button.textContent = other === item ? "Chosen" : "Read this one";
  }
  busy(false);
  $("reading-title").focus({ preventScroll: true });
  $("reading").scrollIntoView({ behavior: still.matches ? "auto" : "smooth" });
}

function undo() {
  show(past.pop());
  ended = false;
  busy(false);
  $("status").textContent = "The poem is as it was before.";
}

async function copy() {
  const text = lines().join("\n");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages that are not served over TLS have no clipboard of the new kind.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    $("copy").focus();
  }
  $("status").textContent = "Copied.";
}

async function save() {
  const card = await pictures.drawCard($("photograph"), lines());
  const link = document.createElement("a");
  link.href = URL.createObjectURL(card);
  link.download = `${name}-poem.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  $("status").textContent = "Saved as a picture.";
}

// --- photographs come in by four ways

function take(files) {
  const file = [...files].find((f) => f.type.startsWith("image/")) ?? files[0];
  if (file) run((signal) => choose(file, signal));
}

for (const [button, input] of [["choose", "chosen"], ["take", "taken"]]) {
  $(button).addEventListener("click", () => $(input).click());
  $(input).addEventListener("change", () => {
    take($(input).files);
    $(input).value = ""; // so that the same file can be chosen again
  });
}

document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) take(event.clipboardData.files);
});

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

// --- buttons

function onClick(id, task) {
  $(id).addEventListener("click", () => {
    if ($(id).getAttribute("aria-disabled") !== "true") task();
  });
}

onClick("another", () => {
  $("seed").value = Number($("seed").value) + 1;
  run(write);
});
onClick("more", () => run(writeMore));
onClick("compare", () => run(compare));
onClick("copy", copy);
onClick("card", () => save().catch(fail));
onClick("undo", undo);

let changes = 0;
function changed() {
  clearTimeout(changes);
  changes = setTimeout(() => run(write), AFTER_CHANGES);
}

$("controls").addEventListener("input", showControls);
$("controls").addEventListener("change", changed);
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("controls").addEventListener("reset", () => {
  // The fields have their old values only after this event.
  setTimeout(() => {
    showControls();
    changed();
  });
});

showControls();
busy(false);
