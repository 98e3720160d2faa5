// SPDX-License-Identifier: Apache-2.0
// ethers 6, viem and web3.js 4 pointed at the gateway, each through its ordinary provider: every kind of message
// and of transaction that the client can ask for is what its own local account with the same key signs.
// There is no node here: what asks for one (a chain id, a nonce) is answered by the test.
import assert from 'node:assert/strict';
import { JsonRpcProvider, SigningKey, Transaction, Wallet, verifyMessage, verifyTypedData } from 'ethers';
import { createWalletClient, custom, defineChain, http, recoverMessageAddress, recoverTypedDataAddress, serializeTransaction } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Web3 } from 'web3';
import { recoverPersonalSignature, recoverTypedSignature } from '@metamask/eth-sig-util';
import { test, done, random } from './lib/tap.mjs';
import { startStack, putKey } from './lib/stack.mjs';
import { randomTransaction, toEthers, toViem } from './lib/txs.mjs';
import { randomTyped } from './lib/typed.mjs';
import { sidecar, toRpc } from './lib/rpc.mjs';

const r = random();
const s = await startStack();
const secret = r.hex(32);
const key = new SigningKey(secret);
const address = putKey(s, 'alice', secret.slice(2)).address;
const wallet = new Wallet(secret);
const account = privateKeyToAccount(secret);
const plain = (doc) => JSON.parse(JSON.stringify(doc, (k, v) => (typeof v === 'bigint' ? v.toString() : v)));
// viem and eth-sig-util look for the types that a type needs by \w+ and do not find "Order:Sub"; ethers does.
const wordy = (doc) => Object.keys(doc.types).every((name) => /^\w+$/.test(name));
const documents = (n) => Array.from({ length: n }, () => plain(randomTyped(r)));

/** What key signs of a random transaction, as ethers serializes it. */
function signedBy(tx) {
  const t = Transaction.from(toEthers(tx));
  t.signature = key.sign(t.unsignedHash);
  return t.serialized;
}

/* --- ethers --- */

const provider = new JsonRpcProvider(s.gateway, 1, { staticNetwork: true });
const signer = await provider.getSigner(address);

await test('ethers: getSigner finds the account, by address and by number', async () => {
  assert.equal(signer.address, address);
  assert.equal((await provider.getSigner(0)).address, address);
  await assert.rejects(provider.getSigner(r.hex(20)), /invalid account/);
});

await test('ethers: signMessage and signTypedData are those of a Wallet', async () => {
  for (const message of ['', 'hello', 'Grüße 🔑', r.bytes(100), '0x1234']) {
    const signature = await signer.signMessage(message);
    assert.equal(signature, await wallet.signMessage(message));
    assert.equal(verifyMessage(message, signature), address);
    assert.equal(await signer._legacySignMessage(message), signature);
  }
  for (const doc of documents(40)) {
    const { EIP712Domain, ...types } = doc.types;
    const signature = await signer.signTypedData(doc.domain, types, doc.message);
    assert.equal(signature, await wallet.signTypedData(doc.domain, types, doc.message));
    assert.equal(verifyTypedData(doc.domain, types, doc.message, signature), address);
  }
});

await test('ethers: signTransaction for types 0, 1, 2 and 4; many at once go as one batch', async () => {
  const txs = Array.from({ length: 100 }, (_, i) => randomTransaction(r, [0, 1, 2, 4][i % 4], key));
  const got = await Promise.all(txs.map((tx) => signer.signTransaction(toEthers(tx))));
  got.forEach((raw, i) => assert.equal(raw, signedBy(txs[i])));
});

await test('ethers: blob transactions by provider.send, with their sidecar', async () => {
  // JsonRpcSigner leaves maxFeePerBlobGas and blobs out of what it sends
  const { blobs, commitments, proofs, hashes } = sidecar(r, 2);
  const tx = { ...randomTransaction(r, 3, key), commitments, blobVersionedHashes: hashes };
  const reference = Transaction.from({ ...toEthers(tx), blobs: blobs.map((data, i) => ({ data, commitment: commitments[i], proof: proofs[i] })) });
  reference.signature = key.sign(reference.unsignedHash);
  assert.equal(await provider.send('eth_signTransaction', [{ ...toRpc(address, tx), blobs, proofs }]), reference.serialized);
});

await test('ethers: refusals come with code and words', async () => {
  const bad = { type: 2, chainId: 1, nonce: 0, gasLimit: 21000, maxFeePerGas: 1, maxPriorityFeePerGas: 2, to: r.hex(20) };
  await assert.rejects(signer.signTransaction(bad), (e) => {
    assert.equal(e.error.code, -32602);
    assert.match(e.error.message, /^transaction\.maxPriorityFeePerGas: exceeds maxFeePerGas$/);
    assert.deepEqual(e.error.data, { code: 'fee_inversion', where: 'transaction.maxPriorityFeePerGas' });
    return true;
  });
  await assert.rejects(provider.send('eth_sign', [r.hex(20), '0x']), (e) => e.error.code === -32000);
});

/* --- viem --- */

const chain = defineChain({ id: 1, name: 'test', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [s.gateway] } } });
const client = createWalletClient({ account: address, chain, transport: http(s.gateway, { retryCount: 0 }) });
// signTransaction asks for the chain id first, which only a node knows: here the transport says it
let chainId = 1;
const direct = http(s.gateway, { retryCount: 0 })({ chain });
const knowing = createWalletClient({ account: address, transport: custom({ request: (call) => (call.method === 'eth_chainId' ? '0x' + chainId.toString(16) : direct.request(call)) }, { retryCount: 0 }) });

await test('viem: getAddresses, requestAddresses, signMessage, signTypedData', async () => {
  assert.deepEqual(await client.getAddresses(), [address]);
  assert.deepEqual(await client.requestAddresses(), [address]);
  for (const message of ['', 'hello', 'Grüße 🔑', { raw: r.hex(50) }, { raw: r.bytes(33) }]) {
    const signature = await client.signMessage({ message });
    assert.equal(signature, await account.signMessage({ message }));
    assert.equal(await recoverMessageAddress({ message, signature }), address);
  }
  for (const doc of documents(60).filter(wordy)) {
    const signature = await client.signTypedData(doc);
    assert.equal(signature, await account.signTypedData(doc));
    assert.equal(await recoverTypedDataAddress({ ...doc, signature }), address);
  }
});

await test('viem: signTransaction for all types, blobs without sidecar', async () => {
  for (let i = 0; i < 50; i++) {
    const tx = randomTransaction(r, i % 5, key);
    tx.chainId &= 0xffffffn;
    tx.chainId ||= 1n;
    delete tx.commitments;
    chainId = Number(tx.chainId);
    const request = { ...toViem(tx), chain: null };
    const raw = await knowing.signTransaction(request);
    assert.equal(raw, signedBy(tx));
    if (tx.type !== 3) assert.equal(raw, await account.signTransaction(toViem(tx), { serializer: serializeTransaction }));
  }
});

await test('viem: errors have the types of their codes', async () => {
  const name = async (promise) => promise.then(() => 'none', (e) => e.walk((x) => x.code !== undefined)?.name ?? e.name);
  assert.equal(await name(client.request({ method: 'eth_sign', params: [r.hex(20), '0x'] })), 'InvalidInputRpcError');
  assert.equal(await name(client.request({ method: 'eth_sign', params: [address, 'x'] })), 'InvalidParamsRpcError');
  assert.equal(await name(client.request({ method: 'eth_blockNumber' })), 'MethodNotFoundRpcError');
  assert.equal(await name(client.request({ method: 'eth_signTransaction', params: [{ from: address, to: address, gas: '0x5208', gasPrice: '0x1', nonce: '0x0' }] })), 'UnauthorizedProviderError');
});

/* --- web3.js --- */

const web3 = new Web3(s.gateway);

await test('web3.js: getAccounts, sign, personal.sign, signTypedData', async () => {
  assert.deepEqual(await web3.eth.getAccounts(), [address]);
  assert.deepEqual(await web3.eth.requestAccounts(), [address.toLowerCase()]);
  for (const message of ['hello', 'Grüße', '0x' + r.bytes(40).toString('hex')]) {
    const data = message.startsWith('0x') ? message : '0x' + Buffer.from(message).toString('hex');
    const signature = await web3.eth.sign(data, address); // it takes hex only
    const local = web3.eth.accounts.sign(message, secret).signature;
    assert.equal(signature, local);
    assert.equal(await web3.eth.personal.sign(message, address, ''), local);
    assert.equal(web3.eth.accounts.recover(message, signature), address);
    assert.equal(recoverPersonalSignature({ data, signature }), address.toLowerCase());
  }
  for (const doc of documents(40).filter(wordy)) {
    const signature = await web3.eth.signTypedData(address, doc);
    assert.equal(signature, await account.signTypedData(doc));
    assert.equal(recoverTypedSignature({ data: doc, signature, version: 'V4' }), address.toLowerCase());
    assert.equal(await web3.eth.signTypedData(address, doc, true), signature); // eth_signTypedData
  }
});

await test('web3.js: signTransaction for types 0 to 2', async () => {
  for (let i = 0; i < 30; i++) {
    const tx = randomTransaction(r, i % 3, key);
    const { raw } = await web3.eth.signTransaction(toRpc(address, tx));
    assert.equal(raw, signedBy(tx));
  }
});

provider.destroy();
await done();
