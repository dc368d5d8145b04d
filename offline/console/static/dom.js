// Elements made and kept. Text of the cloud goes in as text nodes only: nothing here parses markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; children that are no elements become text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return made;
}

/**
 * Bring the children of `parent` in step with `items`: one element a key, made once, so that focus, scroll positions
 * and transitions outlive an update. What `signature` says has not changed is left alone.
 */
export function reconcile(parent, items, { key, make, update = null, signature = JSON.stringify }) {
  const kept = (parent.kept ??= new Map());
  const seen = new Set();
  items.forEach((item, place) => {
    const name = String(key(item));
    const sign = signature(item);
    let entry = kept.get(name);
    if (!entry) {
      entry = { node: make(item), sign };
      kept.set(name, entry);
      if (update) update(entry.node, item);
    } else if (entry.sign !== sign) {
      if (update) {
        update(entry.node, item);
      } else {
        const made = make(item);
        entry.node.replaceWith(made);
        entry.node = made;
      }
      entry.sign = sign;
    }
    seen.add(name);
    if (parent.children[place] !== entry.node) parent.insertBefore(entry.node, parent.children[place] ?? null);
  });
  for (const [name, entry] of kept) {
    if (!seen.has(name)) {
      entry.node.remove();
      kept.delete(name);
    }
  }
  const note = document.querySelector(`[data-empty-of="${parent.id}"]`);
  if (note) note.hidden = items.length > 0;
}

export function pill(text, kind = "") {
  return element("span", { class: `pill ${kind}` }, text);
}

const two = (number) => String(number).padStart(2, "0");

/** Epoch seconds as UTC hours, minutes and seconds; the whole moment is its title. */
export function timeOf(epochS) {
  const at = new Date(epochS * 1000);
  const text = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return element("time", { datetime: at.toISOString(), title: at.toISOString() }, text);
}

export function dateOf(epochS) {
  return new Date(epochS * 1000).toISOString().slice(0, 19).replace("T", " ");
}

export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`;

export const statusKind = (status) => (status >= 500 ? "bad" : status >= 400 ? "warn" : "good");

/** Text as JSON with indents where it is JSON. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
