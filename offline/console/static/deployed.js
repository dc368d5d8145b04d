// Functions with the share of their versions, alarms, deployments and stacks.

import { byId, dateOf, element, percent, pill, reconcile } from "./dom.js";

const ALARM_KIND = { OK: "good", ALARM: "bad" };
const DEPLOYMENT_KIND = { Succeeded: "good", Failed: "bad", Stopped: "bad" };
const STEP_KIND = { Succeeded: "good", Failed: "bad", InProgress: "warn" };

export function showDeployed(overview) {
  const served = overview.functions.filter(({ aliases }) => aliases.length > 0);
  const others = overview.functions.filter(({ aliases }) => aliases.length === 0);
  reconcile(byId("functions"), served.map((func) => ({ ...func, urls: urlsOf(func, overview.apis) })), {
    key: regionalName, make: makeFunction, update: updateFunction,
  });
  byId("others").hidden = others.length === 0;
  byId("others-count").textContent = `${others.length} other function${others.length === 1 ? "" : "s"}, without an alias`;
  reconcile(byId("other-functions"), others, { key: regionalName, make: makeOther });
  reconcile(byId("alarms"), overview.alarms, { key: regionalName, make: makeAlarm });
  reconcile(byId("deployments"), overview.deployments, { key: ({ id }) => id, make: makeDeployment });
  reconcile(byId("stacks"), overview.stacks, { key: regionalName, make: makeStack });
  const empty = document.querySelector('[data-empty-of="functions"]');
  empty.hidden = overview.functions.length > 0;
}

const regionalName = ({ region, name }) => `${region}/${name}`;

function urlsOf(func, apis) {
  const invokes = (api) => api.routes.some((route) => route.function === func.name);
  return apis.filter(invokes).map((api) => `${location.origin}${api.path}`);
}

function makeFunction(func) {
  return element("article", { class: "card" },
    element("div", { class: "card-head" }, element("h3", {}, func.name), element("p", { class: "quiet" })),
    element("div", { class: "aliases" }), element("div", { class: "addresses" }));
}

function updateFunction(card, func) {
  const workers = `${func.workers} worker${func.workers === 1 ? "" : "s"}`;
  card.querySelector(".card-head p").textContent = `${func.runtime}, ${func.memory_mb} MB, ${workers}`;
  const descriptions = new Map(func.versions.map((version) => [version.version, version.description]));
  reconcile(card.querySelector(".aliases"), func.aliases.map((alias) => ({
    ...alias, shares: alias.shares.map((share) => ({ ...share, description: descriptions.get(share.version) || "" })),
  })), { key: (alias) => alias.name, make: makeAlias, update: updateAlias });
  reconcile(card.querySelector(".addresses"), func.urls, {
    key: (url) => url, make: (url) => element("span", { class: "address" }, url),
  });
}

function makeAlias(alias) {
  return element("div", { class: "alias" },
    element("p", { class: "alias-name" }, "alias ", element("b", {}, alias.name)),
    element("div", { class: "bar", role: "img" }), element("ul", { class: "legend plain" }));
}

function updateAlias(node, alias) {
  const bar = node.querySelector(".bar");
  bar.setAttribute("aria-label", alias.shares.map(({ version, share }) => `version ${version} ${percent(share)}`).join(", "));
  const hues = alias.shares.map((share, index) => ({ ...share, hue: index === 0 ? "first" : "second" }));
  reconcile(bar, hues, {
    key: ({ version }) => version, make: () => element("span"),
    update: (part, { hue, share }) => { part.className = hue; part.style.flexGrow = Math.max(share, 0.0001); },
  });
  reconcile(node.querySelector(".legend"), hues, {
    key: ({ version }) => version,
    make: ({ version, share, hue, description }) => element("li", {},
      element("span", { class: `dot ${hue}` }), element("span", {}, `version ${version}`),
      element("b", {}, percent(share)), description ? element("span", { class: "quiet" }, description) : null),
  });
}

function makeOther(func) {
  return element("li", {}, element("span", {}, func.name), element("span", { class: "quiet" }, `${func.memory_mb} MB`));
}

function makeAlarm(alarm) {
  const title = alarm.description ? [alarm.description, element("p", {}, alarm.name)] : [alarm.name];
  return element("li", {},
    element("div", { class: "list-head" }, element("div", {}, ...title), pill(alarm.state.replace("_", " "), ALARM_KIND[alarm.state] ?? "")),
    alarm.state === "ALARM" ? element("p", { class: "why" }, alarm.reason) : null);
}

function makeDeployment(deployment) {
  const direction = deployment.is_rollback ? "back to version" : "to version";
  return element("li", {},
    element("div", { class: "list-head" }, element("span", {}, `${deployment.function}:${deployment.alias}`),
      pill(deployment.status, DEPLOYMENT_KIND[deployment.status] ?? "warn")),
    element("p", {}, `${deployment.id} from version ${deployment.from} ${direction} ${deployment.to}, ${dateOf(deployment.created_at)}`),
    element("div", { class: "steps" }, ...deployment.events.map((event) => pill(event.name, STEP_KIND[event.status] ?? ""))),
    deployment.error ? element("p", { class: "why" }, deployment.error) : null);
}

function makeStack(stack) {
  const kind = /FAILED|ROLLBACK/.test(stack.status) ? "bad" : stack.status.endsWith("COMPLETE") ? "good" : "warn";
  return element("li", {},
    element("div", { class: "list-head" }, element("span", {}, stack.name), pill(stack.status, kind)),
    element("p", {}, `changed ${dateOf(stack.changed_at)}`), stack.reason ? element("p", { class: "why" }, stack.reason) : null);
}
