// What this page asks of the cloud it came from.

import { signatureOf } from "./sign.js";

const OWN_API = { service: "offline", region: "us-east-1" };

/** The page's key is not this cloud's: there is none yet, or the cloud was started anew. */
export class Locked extends Error {}

/** The JSON answer of the page's own API; throws with its message where it is refused. */
export async function ask(what) {
  const target = `/_offline/console/${what}`;
  const headers = await signatureOf("GET", target, "", OWN_API);
  const answer = await fetch(target, { headers, cache: "no-store", credentials: "omit" });
  const said = await answer.json();
  if (answer.status === 403) throw new Locked(said.message);
  if (!answer.ok) throw new Error(said.message ?? `status ${answer.status}`);
  return said;
}
