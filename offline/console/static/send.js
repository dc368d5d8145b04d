// The form: any request to a deployed API, through the gateway, as a client would send it.

import { byId, element, pill, pretty, reconcile, statusKind } from "./dom.js";
import { operationsOf } from "./openapi.js";
import { fetchRequest, lastGood } from "./requests.js";
import { signatureOf } from "./sign.js";

const AUTH_LABELS = {
  API_KEY: "an API key", AWS_IAM: "a signature", CUSTOM: "custom authorization", JWT: "a token", NONE: "nothing",
};

let apis = [];
let operations = [];
let edited = false;

export function openForm() {
  byId("api").addEventListener("change", () => selectApi(selectedApi()));
  byId("path").addEventListener("change", fillFromOperation);
  byId("method").addEventListener("change", fillFromOperation);
  byId("body").addEventListener("input", () => { edited = true; });
  byId("example-button").addEventListener("click", readOpenApi);
  byId("send-form").addEventListener("submit", (event) => {
    event.preventDefault(); // only `send` sends requests
    send();
  });
}

/** Reconcile the options with the deployed APIs; typed values stay. */
export function showApis(current) {
  const before = selectedApi()?.path;
  apis = current;
  byId("send-form").hidden = apis.length === 0;
  byId("no-api").hidden = apis.length > 0;
  reconcile(byId("api"), apis, {
    key: (api) => api.path, make: (api) => element("option", { value: api.path }, `${api.name} (${api.stage})`),
    signature: (api) => `${api.name} ${api.stage}`,
  });
  if (apis.length > 0 && selectedApi()?.path !== before) selectApi(selectedApi());
  prefill();
}

/** Put a recorded request into the form. */
export function resend(request) {
  const api = apis.find((each) => each.id === request.api_id && each.stage === request.stage);
  if (api) {
    byId("api").value = api.path;
    selectApi(api);
  }
  byId("method").value = request.method;
  byId("path").value = request.path;
  byId("content-type").value = request.sent.content_type || "application/json";
  setBody(request.sent.text ?? "", `the body of request ${request.number}`);
  edited = true;
  byId("send").scrollIntoView({ block: "nearest" });
  byId("body").focus();
}

const selectedApi = () => apis.find((api) => api.path === byId("api").value);

function selectApi(api) {
  if (!api) return;
  operations = [];
  byId("auth-note").textContent = `Callers send ${api.authorization.map((kind) => AUTH_LABELS[kind]).join(" or ") || "nothing"}, by route.`;
  for (const field of document.querySelectorAll("#send-form [data-for]")) {
    field.hidden = !field.dataset.for.split(" ").some((kind) => api.authorization.includes(kind));
  }
  byId("key").value = api.keys[0]?.value ?? "";
  const plain = api.routes.filter((route) => /^\/[^{]+$/.test(route.path));
  suggest(plain.map((route) => route.path));
  if (!edited) byId("path").value = plain.find((route) => route.method === "POST")?.path ?? byId("path").value;
}

function suggest(paths) {
  reconcile(byId("paths"), [...new Set(paths)], { key: (path) => path, make: (path) => element("option", { value: path }) });
}

/** Fill in the last successful request, unless the form was edited. */
async function prefill() {
  const api = selectedApi();
  if (edited || !api || byId("body").value) return;
  const last = lastGood(api);
  if (!last) return;
  const { sent, method, path, number } = await fetchRequest(last.number);
  if (edited || byId("body").value || !sent.text) return;
  byId("method").value = method;
  byId("path").value = path;
  setBody(sent.text, `from the last successful request, number ${number}`);
}

async function readOpenApi() {
  const api = selectedApi();
  const note = byId("body-note");
  note.textContent = "loading …";
  try {
    const response = await fetch(`${api.path}/openapi.json`, { headers: await headers(api, "GET", "/openapi.json"), credentials: "omit", cache: "no-store" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    operations = operationsOf(await response.json());
  } catch (error) {
    note.textContent = `${api.path}/openapi.json returned no document (${error.message}); write the body yourself.`;
    return;
  }
  suggest(operations.map((operation) => operation.path));
  const listed = operations.some(isSelected);
  const first = operations.find((operation) => operation.body) ?? operations[0];
  if (!listed && first) {
    byId("method").value = first.method;
    byId("path").value = first.path;
  }
  fillFromOperation();
}

const isSelected = ({ path, method }) => path === byId("path").value && method === byId("method").value;

function fillFromOperation() {
  const operation = operations.find(isSelected);
  if (operation) setBody(operation.body, "an example by the API's OpenAPI document");
}

function setBody(text, note) {
  byId("body").value = pretty(text);
  byId("body-note").textContent = text ? `Body: ${note}.` : "";
}

/** The headers that authorize a request, as the API requires. */
async function headers(api, method, path, body = "") {
  const key = byId("key").value.trim();
  const token = byId("authorization").value.trim();
  const accepts = (...kinds) => kinds.some((kind) => api.authorization.includes(kind));
  return {
    ...(accepts("API_KEY") && key && { "x-api-key": key }),
    ...(accepts("JWT", "CUSTOM") && token && { authorization: token }),
    ...(accepts("AWS_IAM") && byId("signed").checked && await signatureOf(method, api.path + path, body, api)),
  };
}

async function send() {
  const api = selectedApi();
  const method = byId("method").value;
  const path = byId("path").value.startsWith("/") ? byId("path").value : `/${byId("path").value}`;
  const sentBody = method !== "GET" && byId("body").value;
  const button = byId("send-button");
  button.disabled = true;
  const start = performance.now();
  try {
    const response = await fetch(`${api.path}${path}`, {
      method, credentials: "omit", cache: "no-store", redirect: "manual",
      headers: {
        ...await headers(api, method, path, sentBody || ""), ...(sentBody && { "content-type": byId("content-type").value }),
      },
      body: sentBody || undefined,
    });
    const text = await response.text();
    showResponse(response, text, performance.now() - start);
  } catch (error) {
    byId("answer").replaceChildren(`No response: ${error.message}`);
  } finally {
    byId("answer").hidden = false;
    button.disabled = false;
  }
}

function showResponse(response, text, durationMs) {
  const headerLines = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  byId("answer").replaceChildren(
    element("h3", {}, pill(response.status, statusKind(response.status)), `${durationMs.toFixed(0)} ms`),
    element("pre", { tabindex: "0" }, pretty(text) || "(no body)"),
    element("details", {}, element("summary", {}, "Headers"), element("pre", {}, headerLines)));
}
