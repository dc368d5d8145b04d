// The last lines of one log group.

import { ask } from "./ask.js";
import { byId, element, reconcile, timeOf } from "./dom.js";

const PLATFORM = /^(INIT_START|INIT_REPORT|START|END|REPORT|RESTORE_START|RESTORE_REPORT)\b/;
const ERROR = /^\[(ERROR|CRITICAL)\]|Task timed out|Runtime exited|Traceback/;
const COLOURS = /\x1b\[[\d;]*m/g;

/** Show the group that is chosen; at first, that of `favourite`, the function most likely looked for. */
export async function showLogs(favourite) {
  const select = byId("log-group");
  const [region, group] = select.value ? JSON.parse(select.value) : ["", ""];
  const found = await ask(`logs?${new URLSearchParams({ ...(region && { region }), ...(group && { group }) })}`);
  reconcile(select, found.groups, {
    key: (one) => `${one.region}${one.name}`, make: (one) => element("option", { value: valueOf(one) }, one.name),
  });
  if (!group && found.groups.length > 0) {
    const preferred = found.groups.find((one) => one.name.endsWith(`/${favourite}`)) ?? found.groups[0];
    select.value = valueOf(preferred);
    return showLogs(favourite);
  }
  const wanted = byId("log-filter").value.toLowerCase();
  const platform = byId("log-platform").checked;
  const lines = found.lines.filter((line) => line.message.toLowerCase().includes(wanted)
    && (platform || !PLATFORM.test(line.message)));
  const box = byId("logs").parentElement;
  const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
  reconcile(byId("logs"), lines, { key: (line) => line.id, make: makeLine, signature: (line) => line.id });
  box.hidden = lines.length === 0;
  if (atEnd) box.scrollTop = box.scrollHeight;
  return undefined;
}

const valueOf = (group) => JSON.stringify([group.region, group.name]);

function makeLine(line) {
  const kind = PLATFORM.test(line.message) ? "platform" : ERROR.test(line.message) ? "error" : "";
  return element("li", { title: line.stream }, timeOf(line.at), element("span", { class: kind }, ...said(line.message)));
}

/** A message as it reads best: a JSON object as names and values, without what only CloudWatch reads of it. */
function said(message) {
  if (message.startsWith("{")) {
    try {
      const { _aws: _metrics, ...fields } = JSON.parse(message);
      return Object.entries(fields).flatMap(([name, value]) =>
        [element("dfn", {}, `${name}=`), `${typeof value === "string" ? value : JSON.stringify(value)}  `]);
    } catch {
      // no JSON after all: as it is
    }
  }
  return [message.replace(COLOURS, "")];
}
