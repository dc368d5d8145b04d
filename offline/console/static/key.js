// The cloud's key, which this page needs for all that it shows: from the address that opened it, or typed in.

const KEPT = "cloud-key";

/** Take the key out of the address, so that it stays neither in view nor in the history. */
export function takeKeyFromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has("key") && parts.has("secret")) keepKey(parts.get("key"), parts.get("secret"));
  if (location.hash.includes("secret=")) history.replaceState(null, "", location.pathname);
}

/** Keep the key as long as this tab is open. */
export function keepKey(id, secret) {
  sessionStorage.setItem(KEPT, JSON.stringify({ id: id.trim(), secret: secret.trim() }));
}

export function cloudKey() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? '{"id": "none", "secret": ""}');
}

export const hasKey = () => sessionStorage.getItem(KEPT) !== null;
