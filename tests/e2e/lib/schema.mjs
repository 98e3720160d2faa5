// SPDX-License-Identifier: Apache-2.0
// JSON Schema 2020-12, the keywords that doc/policy.schema.json uses; another keyword is an error here.

const is = {
  object: (v) => v !== null && typeof v === 'object' && !Array.isArray(v),
  array: Array.isArray,
  string: (v) => typeof v === 'string',
  boolean: (v) => typeof v === 'boolean',
  integer: Number.isInteger,
};

/** The first thing in value that schema forbids, as a path and a keyword; or null. */
export function violation(root, value, schema = root, at = '$') {
  if (schema === true) return null;
  if (schema === false) return `${at}: false`;
  const go = (v, s, where) => violation(root, v, s, where);
  const matches = (v, s) => go(v, s, at) === null;
  const keywords = {
    $ref: (r) => go(value, r.slice(2).split('/').reduce((o, k) => o[k], root), at),
    type: (t) => [t].flat().some((k) => is[k](value)),
    const: (c) => value === c,
    enum: (list) => list.includes(value),
    pattern: (p) => !is.string(value) || new RegExp(p, 'u').test(value),
    minimum: (n) => typeof value !== 'number' || value >= n,
    anyOf: (list) => list.some((s) => matches(value, s)),
    items: (s) => !is.array(value) || value.map((v, i) => go(v, s, `${at}[${i}]`)).find(Boolean),
    minItems: (n) => !is.array(value) || value.length >= n,
    maxItems: (n) => !is.array(value) || value.length <= n,
    uniqueItems: () => !is.array(value) || new Set(value.map((v) => JSON.stringify(v))).size === value.length,
    minProperties: (n) => !is.object(value) || Object.keys(value).length >= n,
    maxProperties: (n) => !is.object(value) || Object.keys(value).length <= n,
    required: (list) => !is.object(value) || list.every((k) => k in value),
    propertyNames: (s) => !is.object(value) || Object.keys(value).map((k) => go(k, s, `${at}.${k}`)).find(Boolean),
    properties: (p) => !is.object(value) || Object.keys(p).filter((k) => k in value).map((k) => go(value[k], p[k], `${at}.${k}`)).find(Boolean),
    patternProperties: (p) => !is.object(value) || Object.entries(p).flatMap(([re, s]) => Object.keys(value).filter((k) => new RegExp(re, 'u').test(k)).map((k) => go(value[k], s, `${at}.${k}`))).find(Boolean),
    additionalProperties: (s) => !is.object(value) || Object.keys(value).filter((k) => !(k in (schema.properties ?? {})) && !Object.keys(schema.patternProperties ?? {}).some((re) => new RegExp(re, 'u').test(k))).map((k) => go(value[k], s, `${at}.${k}`)).find(Boolean),
    if: (s) => !matches(value, s) || go(value, schema.then ?? true, at),
    then: () => true, title: () => true, description: () => true, $schema: () => true, $id: () => true, $defs: () => true,
  };
  for (const [k, arg] of Object.entries(schema)) {
    if (!keywords[k]) throw new Error(`the keyword ${k} is not known here`);
    const r = keywords[k](arg);
    if (r === false) return `${at}: ${k}`;
    if (typeof r === 'string') return r;
  }
  return null;
}
