// @ts-check
// The data API's description for people, made from its OpenAPI document: each question with its parameters, the fields
// of its rows, and what else it may answer.

import { byId, element, fill } from "./dom.js";
import { failed } from "./trust.js";
import { table } from "./table.js";

/** @typedef {Record<string, any>} Json */

async function draw() {
  const response = await fetch(new URL("../api/v1/openapi.json", import.meta.url));
  if (!response.ok) throw new Error(`the description answered ${response.status}`);
  const described = await response.json();
  const base = described.servers[0].url.replace(/\/$/, "");
  const paths = Object.entries(described.paths).sort();
  byId("title").textContent = `${described.info.title}, version ${described.info.version}`;
  byId("summary").textContent = described.info.summary;
  fill(byId("contents"), ...paths.map(([path]) =>
    element("li", {}, element("a", { href: `#${anchor(path)}` }, path.replace("/api/v1", "")))));
  fill(byId("questions"), ...paths.map(([path, methods]) => question(described, base, path, methods.get)));
}

/** @param {Json} described @param {string} base @param {string} path @param {Json} asked */
function question(described, base, path, asked) {
  const envelope = resolved(described, asked.responses["200"].content["application/json"].schema);
  const rows = resolved(described, envelope.properties?.data?.items ?? {});
  const id = anchor(path);
  return element("section", { class: "panel", id, "aria-labelledby": `${id}-title` },
    element("header", {}, element("h2", { id: `${id}-title` }, "GET ", element("code", {}, base + path))),
    ...paragraphs(asked.description ?? "").map((text) => element("p", { class: "said" }, text)),
    table(parameters(described, asked), [
      { key: "name", label: "Parameter" },
      { key: "kind", label: "Kind" },
      { key: "required", label: "Needed" },
      { key: "text", label: "Meaning" },
    ], { caption: `Parameters of ${path}`, empty: "It has no parameters." }),
    table(fields(described, rows), [
      { key: "name", label: "Field of a row" },
      { key: "kind", label: "Kind" },
      { key: "text", label: "Meaning" },
    ], { caption: `Rows of ${path}`, empty: "Its rows are not described." }),
    element("details", {}, element("summary", {}, "Statuses and forms"),
      table(statuses(asked), [
        { key: "status", label: "Status" },
        { key: "text", label: "Meaning" },
        { key: "forms", label: "Forms" },
      ], { caption: `Answers of ${path}` })));
}

/** @param {Json} described @param {Json} asked */
function parameters(described, asked) {
  return (asked.parameters ?? []).map((/** @type {Json} */ each) => ({
    name: each.name,
    kind: kind(described, each.schema),
    required: each.required ? "yes" : "",
    text: each.description ?? each.schema.description ?? "",
  }));
}

/** @param {Json} described @param {Json} rows */
function fields(described, rows) {
  return Object.entries(rows.properties ?? {}).map(([name, schema]) => ({
    name, kind: kind(described, schema), text: resolved(described, schema).description ?? "",
  }));
}

/** @param {Json} asked */
function statuses(asked) {
  return Object.entries(asked.responses).map(([status, answer]) => ({
    status, text: answer.description, forms: Object.keys(answer.content ?? {}).join(", "),
  }));
}

/** In one line: `number or null`, `list of text`. @param {Json} described @param {Json} given @returns {string} */
function kind(described, given) {
  const schema = resolved(described, given);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map((/** @type {Json} */ each) => kind(described, each)))].join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === "array") return `list of ${kind(described, schema.items ?? {})}`;
  return schema.format ?? (schema.type === "string" ? "text" : schema.type ?? "anything");
}

/** @param {Json} described @param {Json} schema @returns {Json} */
function resolved(described, schema) {
  if (!schema?.$ref) return schema ?? {};
  const names = schema.$ref.replace("#/", "").split("/");
  return names.reduce((/** @type {Json} */ inner, /** @type {string} */ name) => inner[name], described);
}

/** @param {string} text lines broken anywhere, paragraphs by an empty line */
function paragraphs(text) {
  return text.split(/\n\s*\n/).map((each) => each.replaceAll("\n", " "));
}

/** @param {string} path */
function anchor(path) {
  return path.replace("/api/v1/", "").replaceAll("/", "-");
}

draw().catch((error) => failed(byId("questions"), error, () => location.reload()));
