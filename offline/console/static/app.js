// Refreshes the page once a second while it is visible.

import { showDeployed } from "./deployed.js";
import { byId } from "./dom.js";
import { hasKey, keepKey, takeKeyFromAddress } from "./key.js";
import { showLogs } from "./logs.js";
import { fetchOwn, Locked } from "./own_api.js";
import { showRequests } from "./requests.js";
import { openForm, resend, showApis } from "./send.js";

const REFRESH_EVERY_MS = 1000;
let names = new Map();
let clock = null;

async function refresh() {
  const overview = await fetchOwn("overview");
  const current = new Map(overview.apis.map((api) => [api.id, api.name]));
  const changed = JSON.stringify([...current]) !== JSON.stringify([...names]);
  names = current;
  showVitals(overview);
  showDeployed(overview);
  const count = await showRequests({ changed, of: (id) => names.get(id) ?? id }, resend);
  byId("request-count").textContent = String(count);
  showApis(overview.apis);
  await showLogs(overview.functions.find(({ aliases }) => aliases.length > 0)?.name ?? "");
}

function showVitals({ cloud, functions, alarms }) {
  clock = { ...cloud, readAt: performance.now() };
  byId("account").textContent = `account ${cloud.account_id}, ${cloud.region}`;
  byId("speed").textContent = cloud.factor === 0 ? "stopped" : `${cloud.factor}×`;
  byId("workers").textContent = String(functions.reduce((sum, { workers }) => sum + workers, 0));
  const firing = alarms.filter(({ state }) => state === "ALARM").length;
  byId("firing").textContent = `${firing} of ${alarms.length}`;
  byId("firing").className = firing > 0 ? "bad" : "";
}

function tick() {
  if (!clock) return;
  const elapsed = ((performance.now() - clock.readAt) / 1000) * clock.factor;
  byId("clock").textContent = new Date((clock.epoch_s + elapsed) * 1000).toISOString().slice(0, 19).replace("T", " ");
}

async function run() {
  const notice = byId("trouble");
  if (!hasKey()) return;
  if (!document.hidden) {
    try {
      await refresh();
      notice.hidden = true;
      setLocked(false);
    } catch (error) {
      if (error instanceof Locked) {
        setLocked(true, "That is not this cloud's key: each start creates a new key.");
        return;
      }
      notice.textContent = `The cloud does not answer (${error.message}). This page shows its last state.`;
      notice.hidden = false;
    }
  }
  setTimeout(run, REFRESH_EVERY_MS);
}

function setLocked(locked, reason = "") {
  byId("locked").hidden = !locked;
  document.querySelector("main").hidden = locked;
  byId("locked-note").textContent = reason;
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault(); // the key leaves this page in signatures only
  keepKey(byId("key-id").value, byId("key-secret").value);
  byId("key-secret").value = "";
  setLocked(false);
  run();
});
window.addEventListener("hashchange", () => location.reload());

takeKeyFromAddress();
openForm();
setInterval(tick, 200);
setLocked(!hasKey());
run();
