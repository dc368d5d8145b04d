// The last requests through the gateway, and the details of one.

import { byId, element, pill, pretty, reconcile, statusKind, timeOf } from "./dom.js";
import { fetchOwn } from "./own_api.js";

const MAX_REQUESTS = 200;
let listed = [];

/** Fetch and show new requests; returns the newest number. */
export async function showRequests(names, resend) {
  const newest = listed.at(-1)?.number ?? 0;
  const { requests } = await fetchOwn(`requests?after=${newest}`);
  listed = [...listed, ...requests].slice(-MAX_REQUESTS);
  if (requests.length > 0 || names.changed) {
    reconcile(byId("requests"), [...listed].reverse(), {
      key: (request) => request.number, make: (request) => makeRow(request, names, resend), signature: (request) => names.of(request.api_id),
    });
  }
  document.querySelector('[data-empty-of="requests"]').hidden = listed.length > 0;
  byId("requests-table").hidden = listed.length === 0;
  return listed.at(-1)?.number ?? 0;
}

/** The newest successful POST to an API; null if none is kept. */
export function lastGood(api) {
  return [...listed].reverse().find((request) => request.api_id === api.id && request.stage === api.stage
    && request.method === "POST" && request.status < 300) ?? null;
}

export const fetchRequest = (number) => fetchOwn(`requests/${number}`);

function makeRow(request, names, resend) {
  const showButton = element("button", { type: "button", class: "second small", "aria-label": `Show ${request.method} ${request.path}` }, "Show");
  showButton.addEventListener("click", () => showDetail(request.number, resend));
  return element("tr", {},
    element("td", {}, timeOf(request.at)),
    element("td", { class: "path", title: names.of(request.api_id) }, `${request.method} ${request.path}`),
    element("td", {}, pill(request.status, statusKind(request.status))),
    element("td", {}, request.version ? `v${request.version}` : "–"),
    element("td", { class: "number" }, request.latency_ms.toFixed(1)),
    element("td", {}, showButton));
}

async function showDetail(number, resend) {
  const panel = byId("request-detail");
  let request;
  try {
    request = await fetchRequest(number);
  } catch (error) {
    panel.replaceChildren(error.message);
    panel.hidden = false;
    return;
  }
  const resendButton = element("button", { type: "button", class: "second small" }, "Put into the form");
  resendButton.addEventListener("click", () => resend(request));
  const closeButton = element("button", { type: "button", class: "second small" }, "Close");
  closeButton.addEventListener("click", () => { panel.hidden = true; });
  panel.replaceChildren(
    element("h3", {}, `${request.method} ${request.path}`, pill(request.status, statusKind(request.status)), resendButton, closeButton),
    element("p", { class: "quiet" }, `request ${request.request_id}, ${request.latency_ms.toFixed(1)} ms${request.version ? `, version ${request.version}` : ""}`),
    ...bodyOf("Sent", request.sent), ...bodyOf("Answered", request.answered));
  panel.hidden = false;
  panel.focus();
}

function bodyOf(title, body) {
  if (body.size_bytes === 0) return [];
  const heading = `${title}, ${body.size_bytes} bytes${body.content_type ? ` of ${body.content_type}` : ""}`;
  return [element("h4", {}, heading), element("pre", { tabindex: "0" }, body.text === null ? "(not text)" : pretty(body.text))];
}
