// An example request from an OpenAPI document: its own example, or values that its schema allows.

const MAX_DEPTH = 8;

/** Every operation of `document` as {method, path, body}; body is text, empty if the operation has none. */
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
  const example = media.example ?? Object.values(media.examples ?? {}).map((each) => resolve(each, document).value)[0];
  const value = example ?? exampleOf(media.schema, document, 0);
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

/** A value of `schema`. */
export function exampleOf(schema, document, depth) {
  const resolved = resolve(schema, document);
  if (!resolved || depth > MAX_DEPTH) return undefined;
  if (resolved.example !== undefined) return resolved.example;
  if (resolved.examples?.length) return resolved.examples[0];
  if (resolved.default !== undefined) return resolved.default;
  if (resolved.const !== undefined) return resolved.const;
  if (resolved.enum?.length) return resolved.enum[0];
  const choice = (resolved.oneOf ?? resolved.anyOf)?.[0];
  if (choice) return exampleOf(choice, document, depth + 1);
  if (resolved.allOf) return Object.assign({}, ...resolved.allOf.map((part) => exampleOf(part, document, depth + 1)));
  return ofType(resolved, document, depth);
}

function ofType(schema, document, depth) {
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name !== "null") : schema.type;
  if (type === "object" || schema.properties) {
    const object = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const optional = schema.required && !schema.required.includes(name);
      const value = optional ? undefined : exampleOf(property, document, depth + 1);
      if (value !== undefined) object[name] = value;
    }
    return object;
  }
  if (type === "array") {
    const items = schema.prefixItems ?? [schema.items ?? {}];
    return items.map((item) => exampleOf(item, document, depth + 1)).filter((value) => value !== undefined);
  }
  return { string: "text", integer: schema.minimum ?? 1, number: schema.minimum ?? 1.0, boolean: true }[type];
}

function resolve(node, document) {
  let target = node;
  for (let hops = 0; target?.$ref && hops < MAX_DEPTH; hops += 1) {
    target = target.$ref.replace(/^#\//, "").split("/")
      .reduce((at, part) => at?.[part.replace(/~1/g, "/").replace(/~0/g, "~")], document);
  }
  return target;
}
