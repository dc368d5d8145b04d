// Creates and reconciles elements. Text of the cloud is added as text nodes only: nothing here parses markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; other children become text. */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) created.setAttribute(name, value);
  }
  created.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return created;
}

/**
 * Reconcile the children of `parent` with `items`: one element a key, created once, so that focus, scroll positions
 * and transitions survive an update. Items with an unchanged `signature` are left alone.
 */
export function reconcile(parent, items, { key, make, update = null, signature = JSON.stringify }) {
  const entries = (parent.entries ??= new Map());
  const current = new Set();
  items.forEach((item, index) => {
    const name = String(key(item));
    const itemSignature = signature(item);
    let entry = entries.get(name);
    if (!entry) {
      entry = { node: make(item), signature: itemSignature };
      entries.set(name, entry);
      if (update) update(entry.node, item);
    } else if (entry.signature !== itemSignature) {
      if (update) {
        update(entry.node, item);
      } else {
        const replacement = make(item);
        entry.node.replaceWith(replacement);
        entry.node = replacement;
      }
      entry.signature = itemSignature;
    }
    current.add(name);
    if (parent.children[index] !== entry.node) parent.insertBefore(entry.node, parent.children[index] ?? null);
  });
  for (const [name, entry] of entries) {
    if (!current.has(name)) {
      entry.node.remove();
      entries.delete(name);
    }
  }
  const note = document.querySelector(`[data-empty-of="${parent.id}"]`);
  if (note) note.hidden = items.length > 0;
}

export function pill(text, kind = "") {
  return element("span", { class: `pill ${kind}` }, text);
}

const twoDigits = (number) => String(number).padStart(2, "0");

/** Epoch seconds as UTC hours, minutes and seconds; the full time is its title. */
export function timeOf(epochS) {
  const at = new Date(epochS * 1000);
  const text = `${twoDigits(at.getUTCHours())}:${twoDigits(at.getUTCMinutes())}:${twoDigits(at.getUTCSeconds())}`;
  return element("time", { datetime: at.toISOString(), title: at.toISOString() }, text);
}

export function dateOf(epochS) {
  return new Date(epochS * 1000).toISOString().slice(0, 19).replace("T", " ");
}

export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`;

export const statusKind = (status) => (status >= 500 ? "bad" : status >= 400 ? "warn" : "good");

/** `text`, indented if it is JSON. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
