// Signature Version 4 with the cloud's key, for this page's requests to the cloud and to deployed APIs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { cloudKey } from "./key.js";

const SIGNED = "host;x-amz-date";

/** The headers that sign a request to `target`, a path with its query on this page's own host. */
export async function signatureOf(method, target, body, { region, service = "execute-api" }, at = new Date()) {
  if (!crypto.subtle) throw new Error("browsers sign on 127.0.0.1 and localhost only; open this page there");
  const url = new URL(target, location.origin);
  const stamp = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = [stamp.slice(0, 8), region, service, "aws4_request"];
  const canonical = [
    method, encoded(url.pathname), url.search.slice(1).split("&").sort().join("&"),
    `host:${url.host}`, `x-amz-date:${stamp}`, "", SIGNED, await digest(body),
  ].join("\n");
  const { id, secret } = cloudKey();
  let key = new TextEncoder().encode(`AWS4${secret}`);
  for (const part of scope) key = await hmac(key, part);
  const signature = hex(await hmac(key, ["AWS4-HMAC-SHA256", stamp, scope.join("/"), await digest(canonical)].join("\n")));
  return {
    "x-amz-date": stamp,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope.join("/")}, SignedHeaders=${SIGNED}, Signature=${signature}`,
  };
}

/** The path encoded once more, as all services but S3 sign it. */
const encoded = (path) => path.split("/").map((part) =>
  encodeURIComponent(part).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)).join("/");

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const digest = async (text) => hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

async function hmac(key, text) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
}
