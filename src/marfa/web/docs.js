// The reference: openapi.json, readably. Strings from it become text, never markup.

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 8; // a description may refer to itself

const [title, lead, reference] = ["title", "lead", "reference"].map((id) => document.getElementById(id));

/** Make an element from a tag, its text, and its children. */
function make(tag, text = "", ...children) {
  const element = document.createElement(tag);
  element.append(text, ...children);
  return element;
}

/** Put a JSON schema into one readable notation, `name?` being a field that may be absent. */
function notation(schema, indent = "", depth = 0) {
  if (schema === null || typeof schema !== "object" || depth > DEEPEST) return "any";
  if (schema.$ref) return String(schema.$ref).split("/").pop();
  const inner = (part, space = indent) => notation(part, space, depth + 1);
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return choice.map((part) => inner(part)).join(`\n${indent}or `);
  if (schema.allOf) return schema.allOf.map((part) => inner(part)).join(" and ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") {
    return `[${inner(schema.items)}, …]${between(schema.minItems, schema.maxItems, " items")}`;
  }
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    const lines = Object.entries(schema.properties).map(([name, part]) =>
      `${indent}  ${JSON.stringify(name)}${required.has(name) ? "" : "?"}: ${inner(part, `${indent}  `)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
  }
  if (schema.type === "object") {
    return schema.additionalProperties ? `{name: ${inner(schema.additionalProperties)}, …}` : "{…}";
  }
  const type = [schema.type ?? "any"].flat().join(" | ");
  return type + between(schema.minimum, schema.maximum) + between(schema.minLength, schema.maxLength, " characters");
}

function between(low, high, unit = "") {
  if (low === undefined && high === undefined) return "";
  const ends = [low === undefined ? "" : `from ${low}`, high === undefined ? "" : `to ${high}`];
  return ` (${ends.filter(Boolean).join(" ")}${unit})`;
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** A schema: a link to the shape that it names, or its notation. */
function shape(schema) {
  if (!schema.$ref) return make("pre", notation(schema));
  const link = make("a", notation(schema));
  link.href = `#${encodeURIComponent(link.textContent)}`;
  return make("pre", "", link);
}

/** Each media type of a request or response, with its schema and examples. */
function contents(content = {}) {
  return Object.entries(content).flatMap(([type, media]) => {
    const examples = Object.values(media.examples ?? {}).map((each) => each.value);
    if ("example" in media) examples.unshift(media.example);
    return [
      make("p", "", make("code", type)),
      ...(media.schema ? [shape(media.schema)] : []),
      ...examples.flatMap((each) => [make("p", "For example"), make("pre", asText(each))]),
    ];
  });
}

function parameters(list) {
  if (!list.length) return [];
  const items = list.map((each) => {
    const need = each.required ? "required" : "optional";
    const text = ` in ${each.in}, ${need}: ${notation(each.schema)}. ${each.description ?? ""}`;
    return make("li", "", make("code", each.name), text);
  });
  return [make("h3", "Parameters"), make("ul", "", ...items)];
}

function operation(path, method, shared, described) {
  const responses = Object.entries(described.responses ?? {});
  // An answer in full; problems, which all have one shape, as a list.
  const good = responses.filter(([status]) => status < "4");
  const bad = responses.filter(([status]) => status >= "4")
    .map(([status, each]) => make("li", "", make("code", status), ` ${each.description ?? ""}`));
  return make("section", "",
    make("h2", "", make("b", method.toUpperCase()), " ", make("code", path)),
    make("p", [described.summary, described.description].filter(Boolean).join("\n")),
    ...parameters([...shared, ...(described.parameters ?? [])]),
    ...(described.requestBody
      ? [make("h3", "Request"), ...contents(described.requestBody.content)] : []),
    ...good.flatMap(([status, each]) =>
      [make("h3", `Answer ${status}`), make("p", each.description ?? ""), ...contents(each.content)]),
    ...(bad.length ? [make("h3", "Problems"), make("ul", "", ...bad)] : []));
}

function render({ info = {}, paths, components = {} }) {
  title.textContent = info.title ?? "HTTP API";
  lead.textContent = [info.description, info.version && `Version ${info.version}.`].filter(Boolean).join(" ");
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      reference.append(operation(path, method, item.parameters ?? [], item[method]));
    }
  }
  const schemas = Object.entries(components.schemas ?? {});
  if (schemas.length) reference.append(make("h2", "Shapes"));
  for (const [name, schema] of schemas) {
    const heading = make("h3", "", make("code", name));
    heading.id = encodeURIComponent(name);
    reference.append(heading);
    if (schema.description) reference.append(make("p", schema.description));
    reference.append(make("pre", notation(schema)));
  }
}

try {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new TypeError(`status ${response.status}`);
  render(await response.json());
} catch (problem) {
  reference.replaceChildren(); // half a reference would be taken for a whole one
  lead.textContent = `The description could not be read (${problem.message}). Load the page again.`;
}
