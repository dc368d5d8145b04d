// The last requests through the gateway, and one of them in full.

import { ask } from "./ask.js";
import { byId, element, pill, pretty, reconcile, statusKind, timeOf } from "./dom.js";

const MOST = 200;
let listed = [];

/** Fetch what is new and show it; gives the number of the newest request. */
export async function showRequests(names, resend) {
  const newest = listed.at(-1)?.number ?? 0;
  const { requests } = await ask(`requests?after=${newest}`);
  listed = [...listed, ...requests].slice(-MOST);
  if (requests.length > 0 || names.changed) {
    reconcile(byId("requests"), [...listed].reverse(), {
      key: (one) => one.number, make: (one) => makeRow(one, names, resend), signature: (one) => names.of(one.api_id),
    });
  }
  document.querySelector('[data-empty-of="requests"]').hidden = listed.length > 0;
  byId("requests-table").hidden = listed.length === 0;
  return listed.at(-1)?.number ?? 0;
}

/** The newest request to an API that had a body and was answered well; null where none is kept. */
export function lastGood(api) {
  return [...listed].reverse().find((one) => one.api_id === api.id && one.stage === api.stage
    && one.method === "POST" && one.status < 300) ?? null;
}

export const fetchRequest = (number) => ask(`requests/${number}`);

function makeRow(one, names, resend) {
  const show = element("button", { type: "button", class: "second small", "aria-label": `Show ${one.method} ${one.path}` }, "Show");
  show.addEventListener("click", () => showDetail(one.number, resend));
  return element("tr", {},
    element("td", {}, timeOf(one.at)),
    element("td", { class: "path", title: names.of(one.api_id) }, `${one.method} ${one.path}`),
    element("td", {}, pill(one.status, statusKind(one.status))),
    element("td", {}, one.version ? `v${one.version}` : "–"),
    element("td", { class: "number" }, one.latency_ms.toFixed(1)),
    element("td", {}, show));
}

async function showDetail(number, resend) {
  const panel = byId("request-detail");
  let one;
  try {
    one = await fetchRequest(number);
  } catch (error) {
    panel.replaceChildren(error.message);
    panel.hidden = false;
    return;
  }
  const again = element("button", { type: "button", class: "second small" }, "Put into the form");
  again.addEventListener("click", () => resend(one));
  const close = element("button", { type: "button", class: "second small" }, "Close");
  close.addEventListener("click", () => { panel.hidden = true; });
  panel.replaceChildren(
    element("h3", {}, `${one.method} ${one.path}`, pill(one.status, statusKind(one.status)), again, close),
    element("p", { class: "quiet" }, `request ${one.request_id}, ${one.latency_ms.toFixed(1)} ms${one.version ? `, version ${one.version}` : ""}`),
    ...bodyOf("Sent", one.sent), ...bodyOf("Answered", one.answered));
  panel.hidden = false;
  panel.focus();
}

function bodyOf(title, body) {
  if (body.size_bytes === 0) return [];
  const heading = `${title}, ${body.size_bytes} bytes${body.content_type ? ` of ${body.content_type}` : ""}`;
  return [element("h4", {}, heading), element("pre", { tabindex: "0" }, body.text === null ? "(not text)" : pretty(body.text))];
}
