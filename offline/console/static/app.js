// Looks at the cloud once a second, while anybody looks at the page.

import { ask, Locked } from "./ask.js";
import { showDeployed } from "./deployed.js";
import { byId } from "./dom.js";
import { hasKey, keepKey, takeKeyFromAddress } from "./key.js";
import { showLogs } from "./logs.js";
import { showRequests } from "./requests.js";
import { openForm, resend, showApis } from "./send.js";

const LOOK_EVERY_MS = 1000;
let names = new Map();
let clock = null;

async function look() {
  const overview = await ask("overview");
  const now = new Map(overview.apis.map((api) => [api.id, api.name]));
  const changed = JSON.stringify([...now]) !== JSON.stringify([...names]);
  names = now;
  showVitals(overview);
  showDeployed(overview);
  const seen = await showRequests({ changed, of: (id) => names.get(id) ?? id }, resend);
  byId("seen").textContent = String(seen);
  showApis(overview.apis);
  await showLogs(overview.functions.find((one) => one.aliases.length > 0)?.name ?? "");
}

function showVitals({ cloud, functions, alarms }) {
  clock = { ...cloud, seen: performance.now() };
  byId("place").textContent = `account ${cloud.account_id}, ${cloud.region}`;
  byId("speed").textContent = cloud.factor === 0 ? "stopped" : `${cloud.factor}×`;
  byId("workers").textContent = String(functions.reduce((sum, one) => sum + one.workers, 0));
  const firing = alarms.filter((one) => one.state === "ALARM").length;
  byId("firing").textContent = `${firing} of ${alarms.length}`;
  byId("firing").className = firing > 0 ? "bad" : "";
}

function tick() {
  if (!clock) return;
  const passed = ((performance.now() - clock.seen) / 1000) * clock.factor;
  byId("clock").textContent = new Date((clock.epoch_s + passed) * 1000).toISOString().slice(0, 19).replace("T", " ");
}

async function run() {
  const trouble = byId("trouble");
  if (!hasKey()) return;
  if (!document.hidden) {
    try {
      await look();
      trouble.hidden = true;
      setLocked(false);
    } catch (error) {
      if (error instanceof Locked) {
        setLocked(true, "That is not this cloud's key: each start creates a new key.");
        return;
      }
      trouble.textContent = `The cloud does not answer (${error.message}). This page shows its last state.`;
      trouble.hidden = false;
    }
  }
  setTimeout(run, LOOK_EVERY_MS);
}

function setLocked(locked, why = "") {
  byId("locked").hidden = !locked;
  document.querySelector("main").hidden = locked;
  byId("locked-note").textContent = why;
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
