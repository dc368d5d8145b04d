// Functions with the share of their versions, alarms, deployments and stacks.

import { byId, dateOf, element, percent, pill, reconcile } from "./dom.js";

const ALARM_KIND = { OK: "good", ALARM: "bad" };
const DEPLOYMENT_KIND = { Succeeded: "good", Failed: "bad", Stopped: "bad" };
const STEP_KIND = { Succeeded: "good", Failed: "bad", InProgress: "warn" };

export function showDeployed(overview) {
  const served = overview.functions.filter((one) => one.aliases.length > 0);
  const others = overview.functions.filter((one) => one.aliases.length === 0);
  reconcile(byId("functions"), served.map((one) => ({ ...one, urls: urlsOf(one, overview.apis) })), {
    key: (one) => `${one.region}/${one.name}`, make: makeFunction, update: updateFunction,
  });
  byId("others").hidden = others.length === 0;
  byId("others-count").textContent = `${others.length} other function${others.length === 1 ? "" : "s"}, without an alias`;
  reconcile(byId("other-functions"), others, { key: (one) => `${one.region}/${one.name}`, make: makeOther });
  reconcile(byId("alarms"), overview.alarms, { key: (one) => `${one.region}/${one.name}`, make: makeAlarm });
  reconcile(byId("deployments"), overview.deployments, { key: (one) => one.id, make: makeDeployment });
  reconcile(byId("stacks"), overview.stacks, { key: (one) => `${one.region}/${one.name}`, make: makeStack });
  const empty = document.querySelector('[data-empty-of="functions"]');
  empty.hidden = overview.functions.length > 0;
}

function urlsOf(one, apis) {
  const named = (api) => api.routes.some((route) => route.function === one.name);
  return apis.filter(named).map((api) => `${location.origin}${api.path}`);
}

function makeFunction(one) {
  return element("article", { class: "card" },
    element("div", { class: "card-head" }, element("h3", {}, one.name), element("p", { class: "quiet" })),
    element("div", { class: "aliases" }), element("div", { class: "addresses" }));
}

function updateFunction(card, one) {
  const workers = `${one.workers} worker${one.workers === 1 ? "" : "s"}`;
  card.querySelector(".card-head p").textContent = `${one.runtime}, ${one.memory_mb} MB, ${workers}`;
  const described = new Map(one.versions.map((version) => [version.version, version.description]));
  reconcile(card.querySelector(".aliases"), one.aliases.map((alias) => ({
    ...alias, shares: alias.shares.map((each) => ({ ...each, description: described.get(each.version) || "" })),
  })), { key: (alias) => alias.name, make: makeAlias, update: updateAlias });
  reconcile(card.querySelector(".addresses"), one.urls, {
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
  bar.setAttribute("aria-label", alias.shares.map((each) => `version ${each.version} ${percent(each.share)}`).join(", "));
  const hues = alias.shares.map((each, place) => ({ ...each, hue: place === 0 ? "first" : "second" }));
  reconcile(bar, hues, {
    key: (each) => each.version, make: () => element("span"),
    update: (part, each) => { part.className = each.hue; part.style.flexGrow = Math.max(each.share, 0.0001); },
  });
  reconcile(node.querySelector(".legend"), hues, {
    key: (each) => each.version,
    make: (each) => element("li", {}, element("span", { class: `dot ${each.hue}` }), element("span", {}, `version ${each.version}`),
      element("b", {}, percent(each.share)), each.description ? element("span", { class: "quiet" }, each.description) : null),
  });
}

function makeOther(one) {
  return element("li", {}, element("span", {}, one.name), element("span", { class: "quiet" }, `${one.memory_mb} MB`));
}

function makeAlarm(one) {
  const said = one.description ? [one.description, element("p", {}, one.name)] : [one.name];
  return element("li", {},
    element("div", { class: "list-head" }, element("div", {}, ...said), pill(one.state.replace("_", " "), ALARM_KIND[one.state] ?? "")),
    one.state === "ALARM" ? element("p", { class: "why" }, one.reason) : null);
}

function makeDeployment(one) {
  const what = one.is_rollback ? "back to version" : "to version";
  return element("li", {},
    element("div", { class: "list-head" }, element("span", {}, `${one.function}:${one.alias}`),
      pill(one.status, DEPLOYMENT_KIND[one.status] ?? "warn")),
    element("p", {}, `${one.id} from version ${one.from} ${what} ${one.to}, ${dateOf(one.created_at)}`),
    element("div", { class: "steps" }, ...one.events.map((event) => pill(event.name, STEP_KIND[event.status] ?? ""))),
    one.error ? element("p", { class: "why" }, one.error) : null);
}

function makeStack(one) {
  const kind = /FAILED|ROLLBACK/.test(one.status) ? "bad" : one.status.endsWith("COMPLETE") ? "good" : "warn";
  return element("li", {},
    element("div", { class: "list-head" }, element("span", {}, one.name), pill(one.status, kind)),
    element("p", {}, `changed ${dateOf(one.changed_at)}`), one.reason ? element("p", { class: "why" }, one.reason) : null);
}
