// The form: any request to a deployed API, through the gateway, as a client would send it.

import { byId, element, pill, pretty, reconcile, statusKind } from "./dom.js";
import { operationsOf } from "./openapi.js";
import { fetchRequest, lastGood } from "./requests.js";
import { signatureOf } from "./sign.js";

const ASKED = {
  API_KEY: "an API key", AWS_IAM: "a signature", CUSTOM: "custom authorization", JWT: "a token", NONE: "nothing",
};

let apis = [];
let operations = [];
let touched = false;

export function openForm() {
  byId("api").addEventListener("change", () => choose(chosen()));
  byId("path").addEventListener("change", fillFromOperation);
  byId("method").addEventListener("change", fillFromOperation);
  byId("body").addEventListener("input", () => { touched = true; });
  byId("example-button").addEventListener("click", readOpenApi);
  byId("send-form").addEventListener("submit", (event) => {
    event.preventDefault(); // nothing leaves this page but by `send`
    send();
  });
}

/** Bring the choices in step with what is deployed; what a person typed stays. */
export function showApis(current) {
  const before = chosen()?.path;
  apis = current;
  byId("send-form").hidden = apis.length === 0;
  byId("no-api").hidden = apis.length > 0;
  reconcile(byId("api"), apis, {
    key: (api) => api.path, make: (api) => element("option", { value: api.path }, `${api.name} (${api.stage})`),
    signature: (api) => `${api.name} ${api.stage}`,
  });
  if (apis.length > 0 && chosen()?.path !== before) choose(chosen());
  prefill();
}

/** Put a request that was seen into the form. */
export function resend(one) {
  const api = apis.find((each) => each.id === one.api_id && each.stage === one.stage);
  if (api) {
    byId("api").value = api.path;
    choose(api);
  }
  byId("method").value = one.method;
  byId("path").value = one.path;
  byId("content-type").value = one.sent.content_type || "application/json";
  setBody(one.sent.text ?? "", `the body of request ${one.number}`);
  touched = true;
  byId("send").scrollIntoView({ block: "nearest" });
  byId("body").focus();
}

const chosen = () => apis.find((api) => api.path === byId("api").value);

function choose(api) {
  if (!api) return;
  operations = [];
  byId("asks").textContent = `Callers send ${api.asks.map((kind) => ASKED[kind]).join(" or ") || "nothing"}, by route.`;
  for (const field of document.querySelectorAll("#send-form [data-for]")) {
    field.hidden = !field.dataset.for.split(" ").some((kind) => api.asks.includes(kind));
  }
  byId("key").value = api.keys[0]?.value ?? "";
  const plain = api.routes.filter((route) => /^\/[^{]+$/.test(route.path));
  suggest(plain.map((route) => route.path));
  if (!touched) byId("path").value = plain.find((route) => route.method === "POST")?.path ?? byId("path").value;
}

function suggest(paths) {
  reconcile(byId("paths"), [...new Set(paths)], { key: (path) => path, make: (path) => element("option", { value: path }) });
}

/** The body of the last request that was answered well, as long as nobody wrote another. */
async function prefill() {
  const api = chosen();
  if (touched || !api || byId("body").value) return;
  const seen = lastGood(api);
  if (!seen) return;
  const { sent, method, path, number } = await fetchRequest(seen.number);
  if (touched || byId("body").value || !sent.text) return;
  byId("method").value = method;
  byId("path").value = path;
  setBody(sent.text, `from the last request that was answered, number ${number}`);
}

async function readOpenApi() {
  const api = chosen();
  const note = byId("body-note");
  note.textContent = "asking …";
  try {
    const answer = await fetch(`${api.path}/openapi.json`, { headers: await headers(api, "GET", "/openapi.json"), credentials: "omit", cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    operations = operationsOf(await answer.json());
  } catch (error) {
    note.textContent = `${api.path}/openapi.json returned no document (${error.message}); write the body yourself.`;
    return;
  }
  suggest(operations.map((operation) => operation.path));
  const known = operations.some((one) => one.path === byId("path").value && one.method === byId("method").value);
  const first = operations.find((operation) => operation.body) ?? operations[0];
  if (!known && first) {
    byId("method").value = first.method;
    byId("path").value = first.path;
  }
  fillFromOperation();
}

function fillFromOperation() {
  const found = operations.find((one) => one.path === byId("path").value && one.method === byId("method").value);
  if (found) setBody(found.body, "an example that the API's OpenAPI document allows");
}

function setBody(text, note) {
  byId("body").value = pretty(text);
  byId("body-note").textContent = text ? `Body: ${note}.` : "";
}

/** What shows who sends a request, as far as the API asks for it. */
async function headers(api, method, path, body = "") {
  const key = byId("key").value.trim();
  const token = byId("authorization").value.trim();
  const asked = (...kinds) => kinds.some((kind) => api.asks.includes(kind));
  return {
    ...(asked("API_KEY") && key && { "x-api-key": key }),
    ...(asked("JWT", "CUSTOM") && token && { authorization: token }),
    ...(asked("AWS_IAM") && byId("signed").checked && await signatureOf(method, api.path + path, body, api)),
  };
}

async function send() {
  const api = chosen();
  const method = byId("method").value;
  const path = byId("path").value.startsWith("/") ? byId("path").value : `/${byId("path").value}`;
  const bodied = method !== "GET" && byId("body").value;
  const button = byId("send-button");
  button.disabled = true;
  const began = performance.now();
  try {
    const answer = await fetch(`${api.path}${path}`, {
      method, credentials: "omit", cache: "no-store", redirect: "manual",
      headers: {
        ...await headers(api, method, path, bodied || ""), ...(bodied && { "content-type": byId("content-type").value }),
      },
      body: bodied || undefined,
    });
    const text = await answer.text();
    showAnswer(answer, text, performance.now() - began);
  } catch (error) {
    byId("answer").replaceChildren(`No response: ${error.message}`);
  } finally {
    byId("answer").hidden = false;
    button.disabled = false;
  }
}

function showAnswer(answer, text, took) {
  const told = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  byId("answer").replaceChildren(
    element("h3", {}, pill(answer.status, statusKind(answer.status)), `${took.toFixed(0)} ms`),
    element("pre", { tabindex: "0" }, pretty(text) || "(no body)"),
    element("details", {}, element("summary", {}, "Headers"), element("pre", {}, told)));
}
