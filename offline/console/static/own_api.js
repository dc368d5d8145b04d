// Calls of the cloud's own API, for this page.

import { signatureOf } from "./sign.js";

const OWN_API = { service: "offline", region: "us-east-1" };

/** The page's key is not this cloud's: it has none yet, or the cloud was restarted. */
export class Locked extends Error {}

/** The JSON response of the page's own API at `path`; throws with its message if it is rejected. */
export async function fetchOwn(path) {
  const target = `/_offline/console/${path}`;
  const headers = await signatureOf("GET", target, "", OWN_API);
  const response = await fetch(target, { headers, cache: "no-store", credentials: "omit" });
  const body = await response.json();
  if (response.status === 403) throw new Locked(body.message);
  if (!response.ok) throw new Error(body.message ?? `status ${response.status}`);
  return body;
}
