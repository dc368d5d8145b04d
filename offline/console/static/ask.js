// What this page asks of the cloud it came from.

/** The JSON answer of the page's own API; throws with its message where it is refused. */
export async function ask(what) {
  const answer = await fetch(`/_offline/console/${what}`, { cache: "no-store", credentials: "omit" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message ?? `status ${answer.status}`);
  return said;
}
