// SPDX-License-Identifier: Apache-2.0
//
// Makes eth_tx.json: transactions as clients write them and what ethers makes of them. The numbers
// come from a fixed seed, so the file only changes with this script or with ethers.
//   npm install --prefix /tmp/ethers ethers@6.17.0
//   node tests/unit/chain/gen-eth-tx.mjs /tmp/ethers > tests/unit/chain/eth_tx.json
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const { Transaction, Wallet, getAddress } = require("ethers");

let counter = 0;
function bytes(n) {
	let b = Buffer.alloc(0);
	while (b.length < n)
		b = Buffer.concat([b, createHash("sha256").update(`adyton ${counter++}`).digest()]);
	return b.subarray(0, n);
}
const below = (n) => bytes(4).readUInt32BE() % n;
const hex = (n) => "0x" + bytes(n).toString("hex");
const number = (max) => BigInt("0x0" + bytes(below(max + 1)).toString("hex"));
const address = () => (below(2) ? getAddress(hex(20)) : hex(20));

// the same quantity in one of the accepted spellings
function spell(v) {
	switch (below(3)) {
	case 0: return "0x" + v.toString(16);
	case 1: return v.toString();
	default: return { raw: v.toString() };
	}
}
const json = (v) =>
	JSON.stringify(v, (_, x) => (x && x.raw !== undefined ? `raw:${x.raw}` : x)).replace(
		/"raw:(\d+)"/g, "$1");

function one(type) {
	const tx = {
		type,
		chainId: [1n, 137n, 31337n, 11155111n, 9223372036854775771n][below(5)],
		nonce: below(100000),
		gasLimit: BigInt(below(30000000)),
		value: number(26),
		data: "0x" + bytes(below(3) ? below(200) : 0).toString("hex"),
		to: below(6) ? address() : null,
	};
	if (!tx.to && tx.data === "0x") tx.data = hex(40);
	if (type < 2) tx.gasPrice = number(12);
	else {
		tx.maxFeePerGas = number(12);
		tx.maxPriorityFeePerGas = tx.maxFeePerGas / BigInt(1 + below(5));
	}
	if (type > 0)
		tx.accessList = Array.from({ length: below(4) }, () => ({
			address: address(), storageKeys: Array.from({ length: below(4) }, () => hex(32)),
		}));
	return tx;
}

function written(tx) {
	const out = {};
	if (tx.type !== 2 || below(2)) out.type = spell(BigInt(tx.type));
	for (const k of ["chainId", "nonce", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value"])
		if (tx[k] !== undefined) out[k] = spell(BigInt(tx[k]));
	out[below(2) ? "gas" : "gasLimit"] = spell(tx.gasLimit);
	if (tx.to || below(2)) out.to = tx.to;
	if (tx.data !== "0x" || below(2)) out[below(2) ? "data" : "input"] = tx.data;
	if (tx.accessList && (tx.accessList.length || below(2))) out.accessList = tx.accessList;
	return json(out);
}

const lines = [];
for (let i = 0; i < 60; i++) {
	const tx = one(i % 3);
	const wallet = new Wallet(hex(32));
	const t = Transaction.from({ ...tx, to: tx.to && getAddress(tx.to.toLowerCase()) });
	const unsigned = t.unsignedSerialized;
	t.signature = wallet.signingKey.sign(t.unsignedHash);
	lines.push(`{"transaction":${written(tx)},"key":"${wallet.privateKey}",` +
		`"from":"${wallet.address}","unsigned":"${unsigned}","digest":"${t.unsignedHash}",` +
		`"raw":"${t.serialized}","hash":"${t.hash}"}`);
}
console.log("[" + lines.join(",\n") + "]");
