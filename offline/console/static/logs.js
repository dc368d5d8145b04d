// The last lines of one log group.

import { byId, element, reconcile, timeOf } from "./dom.js";
import { fetchOwn } from "./own_api.js";

const PLATFORM = /^(INIT_START|INIT_REPORT|START|END|REPORT|RESTORE_START|RESTORE_REPORT)\b/;
const ERROR = /^\[(ERROR|CRITICAL)\]|Task timed out|Runtime exited|Traceback/;
const COLOURS = /\x1b\[[\d;]*m/g;

/** Show the selected group; at first, that of the function `preferred`. */
export async function showLogs(preferred) {
  const select = byId("log-group");
  const [region, group] = select.value ? JSON.parse(select.value) : ["", ""];
  const logs = await fetchOwn(`logs?${new URLSearchParams({ ...(region && { region }), ...(group && { group }) })}`);
  reconcile(select, logs.groups, {
    key: ({ region, name }) => `${region}${name}`, make: (option) => element("option", { value: valueOf(option) }, option.name),
  });
  if (!group && logs.groups.length > 0) {
    const first = logs.groups.find(({ name }) => name.endsWith(`/${preferred}`)) ?? logs.groups[0];
    select.value = valueOf(first);
    return showLogs(preferred);
  }
  const filter = byId("log-filter").value.toLowerCase();
  const platform = byId("log-platform").checked;
  const lines = logs.lines.filter((line) => line.message.toLowerCase().includes(filter)
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
  return element("li", { title: line.stream }, timeOf(line.at), element("span", { class: kind }, ...formatted(line.message)));
}

/** A readable message: a JSON object as names and values, without the metadata for CloudWatch metrics. */
function formatted(message) {
  if (message.startsWith("{")) {
    try {
      const { _aws: _metrics, ...fields } = JSON.parse(message);
      return Object.entries(fields).flatMap(([name, value]) =>
        [element("dfn", {}, `${name}=`), `${typeof value === "string" ? value : JSON.stringify(value)}  `]);
    } catch {
      // not JSON: unchanged
    }
  }
  return [message.replace(COLOURS, "")];
}
