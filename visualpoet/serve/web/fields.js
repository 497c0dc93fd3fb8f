// What the reader asks of the poem.

const AFTER_CHANGES = 350; // ms

const $ = (id) => document.getElementById(id);

let changes = 0; // the timer of what was changed last

const fields = () => [...$("controls").elements].filter((e) => e.name);

function isUntouched(field) {
  if (field.type === "range") return field.value === field.defaultValue;
  return Boolean(field.selectedOptions?.[0].defaultSelected);
}

/** What was touched, by name; the rest is left to the model. */
export function controls() {
  const meant = fields().filter((e) => e.value && !isUntouched(e));
  return Object.fromEntries(meant.map((e) => [e.name, e.value.trim()]));
}

/** Every field as it stands, for `restore`. */
export const values = () => Object.fromEntries(fields().map((e) => [e.name, e.value]));

/** Puts the fields back as they were when a poem was written. */
export function restore(before) {
  clearTimeout(changes);
  for (const field of fields()) {
    field.value = before[field.name];
    if (field.name === "voice") offerForms(); // before one of them is chosen
  }
  show();
}

// Each voice has forms of its own; a form that both have stays chosen.
function offerForms() {
  const [form, voice] = [$("form"), $("voice")?.selectedOptions[0]];
  if (!form || !voice) return;
  const forms = JSON.parse(voice.dataset.forms);
  if (forms.join() === [...form.options].map((o) => o.value).join()) return;
  const [chosen] = form.selectedOptions;
  const kept = forms.includes(chosen?.value) && !chosen.defaultSelected;
  form.replaceChildren(...forms.map((name, n) => new Option(name, name, n === 0)));
  if (kept) form.value = chosen.value;
  form.closest("p").hidden = forms.length === 0;
}

/** Shows what belongs to the fields as they stand: forms, and sliders' values. */
export function show() {
  offerForms();
  for (const output of document.querySelectorAll("output")) {
    const slider = $(output.htmlFor.value);
    const untouched = slider.value === slider.defaultValue;
    output.textContent = untouched ? "auto" : slider.value;
    slider.setAttribute("aria-valuetext", output.textContent);
  }
}

/**
 * Watches for changes.
 *
 * @param {() => void} tell Is called a moment after the last of several.
 */
export function watch(tell) {
  const changed = () => {
    clearTimeout(changes);
    changes = setTimeout(tell, AFTER_CHANGES);
  };
  $("controls").addEventListener("input", show);
  $("controls").addEventListener("change", changed);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("controls").addEventListener("reset", () => {
    // The fields have their old values only after this event.
    setTimeout(() => {
      show();
      changed();
    });
  });
}
