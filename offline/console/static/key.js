// The cloud's key, which signs all of this page's calls: from the address that opened it, or typed in.

const STORAGE_KEY = "cloud-key";

/** Remove the key from the address, so that it stays neither visible nor in the history. */
export function takeKeyFromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has("key") && parts.has("secret")) keepKey(parts.get("key"), parts.get("secret"));
  if (location.hash.includes("secret=")) history.replaceState(null, "", location.pathname);
}

/** Keep the key as long as this tab is open. */
export function keepKey(id, secret) {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ id: id.trim(), secret: secret.trim() }));
}

export function cloudKey() {
  return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{"id": "none", "secret": ""}');
}

export const hasKey = () => sessionStorage.getItem(STORAGE_KEY) !== null;
