// An example request from an OpenAPI document: its own example, or values that its schema allows.

const MOST_DEPTH = 8;

/** Every operation of `document` as {method, path, body}; body is text, empty where none is taken. */
export function operationsOf(document) {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, body: bodyOf(operation, document) })));
}

function bodyOf(operation, document) {
  const content = resolve(operation.requestBody, document)?.content ?? {};
  const media = content["application/json"];
  if (!media) return "";
  const given = media.example ?? Object.values(media.examples ?? {}).map((one) => resolve(one, document).value)[0];
  const value = given ?? exampleOf(media.schema, document, 0);
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

/** A value of `schema`. */
export function exampleOf(schema, document, depth) {
  const known = resolve(schema, document);
  if (!known || depth > MOST_DEPTH) return undefined;
  if (known.example !== undefined) return known.example;
  if (known.examples?.length) return known.examples[0];
  if (known.default !== undefined) return known.default;
  if (known.const !== undefined) return known.const;
  if (known.enum?.length) return known.enum[0];
  const choice = (known.oneOf ?? known.anyOf)?.[0];
  if (choice) return exampleOf(choice, document, depth + 1);
  if (known.allOf) return Object.assign({}, ...known.allOf.map((part) => exampleOf(part, document, depth + 1)));
  return ofType(known, document, depth);
}

function ofType(schema, document, depth) {
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  if (type === "object" || schema.properties) {
    const made = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const optional = schema.required && !schema.required.includes(name);
      const value = optional ? undefined : exampleOf(property, document, depth + 1);
      if (value !== undefined) made[name] = value;
    }
    return made;
  }
  if (type === "array") {
    const items = schema.prefixItems ?? [schema.items ?? {}];
    return items.map((item) => exampleOf(item, document, depth + 1)).filter((value) => value !== undefined);
  }
  return { string: "text", integer: schema.minimum ?? 1, number: schema.minimum ?? 1.0, boolean: true }[type];
}

function resolve(node, document) {
  let found = node;
  for (let hops = 0; found?.$ref && hops < MOST_DEPTH; hops += 1) {
    found = found.$ref.replace(/^#\//, "").split("/")
      .reduce((at, part) => at?.[part.replace(/~1/g, "/").replace(/~0/g, "~")], document);
  }
  return found;
}
