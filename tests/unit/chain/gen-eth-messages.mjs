// SPDX-License-Identifier: Apache-2.0
//
// Makes eth_messages.json: what an account signs beside transactions, and the digests that ethers and
// eth-sig-util make of it. From a fixed seed, so the file only changes with this script or with them.
//   node tests/unit/chain/gen-eth-messages.mjs tests/e2e > tests/unit/chain/eth_messages.json
// (with tests/e2e/node_modules installed)
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const base = resolve(process.argv[2]);
const require = createRequire(base + "/");
const { TypedDataEncoder, hashAuthorization, hashMessage, keccak256, concat } = require("ethers");
const { TypedDataUtils } = require("@metamask/eth-sig-util");
const { randomTyped, spelled } = await import(base + "/lib/typed.mjs");

let counter = 0;
const bytes = (n) => {
	let b = Buffer.alloc(0);
	while (b.length < n)
		b = Buffer.concat([b, createHash("sha256").update(`adyton messages ${counter++}`).digest()]);
	return b.subarray(0, n);
};
const below = (n) => bytes(6).readUIntBE(0, 6) % n;
const r = {
	below, bytes, hex: (n) => "0x" + bytes(n).toString("hex"), pick: (l) => l[below(l.length)],
	big: (bits) => {
		const b = below(bits + 1);
		return b === 0 ? 0n : BigInt("0x" + bytes(32).toString("hex")) >> BigInt(256 - b);
	},
};
const util = (doc, version) => "0x" + Buffer.from(TypedDataUtils.eip712Hash(doc, version)).toString("hex");
const lines = [];
const add = (kind, value, digest) => lines.push(JSON.stringify({ kind, value, digest }));

for (let i = 0; i < 40; i++) {
	const doc = randomTyped(r);
	const { EIP712Domain, ...types } = doc.types;
	const written = spelled(r, doc);
	if (i % 4 === 0) delete written.types.EIP712Domain;
	add("V4", written, TypedDataEncoder.hash(doc.domain, types, doc.message));
}

const domain = { types: { EIP712Domain: [{ name: "name", type: "string" }] }, domain: { name: "Ether Mail" } };
const person = [{ name: "name", type: "string" }, { name: "mother", type: "Person" }, { name: "children", type: "Person[]" }];
const family = (message) => ({ ...domain, types: { ...domain.types, Person: person }, primaryType: "Person", message });
const alice = { name: "Alice", mother: null, children: [] };
for (const message of [alice, { name: "Bob", children: [alice, alice] }, { name: "Eve", mother: { ...alice, mother: alice }, children: [] }])
	add("V4", family(message), util(family(message), "V4"));
add("V4", { ...domain, primaryType: "EIP712Domain", message: {} }, util({ ...domain, primaryType: "EIP712Domain", message: {} }, "V4"));
const flat = { ...domain, primaryType: "P", message: { a: "-0x80", b: "x" } };
flat.types = { ...domain.types, P: [{ name: "a", type: "int8" }, { name: "b", type: "string" }] };
add("V3", flat, util({ ...flat, message: { a: -128, b: "x" } }, "V3"));

for (const text of ["", "hello", "Grüße", "署名 🔑", "\"\\\n\u0000", "x".repeat(1000)])
	add("message", { text }, hashMessage(text));
for (const n of [0, 1, 9, 10, 99, 100, 1000]) {
	const b = bytes(n);
	add("message", { hex: "0x" + b.toString("hex") }, hashMessage(b));
}
for (const n of [0, 1, 200]) {
	const address = r.hex(20), data = r.hex(n);
	add("validator_data", { address, data }, keccak256(concat(["0x1900", address, data])));
}
for (let i = 0; i < 12; i++) {
	const tuple = { chainId: r.big([0, 8, 50, 200][i % 4]), address: r.hex(20), nonce: r.big(63) };
	add("authorization", spelled(r, tuple), hashAuthorization(tuple));
}
console.log("[" + lines.join(",\n") + "]");
