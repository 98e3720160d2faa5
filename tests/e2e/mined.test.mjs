// SPDX-License-Identifier: Apache-2.0
// anvil mines what Adyton signs: transfers, calls, deployments, of every type, through ethers' and
// viem's ordinary providers.
import assert from 'node:assert/strict';
import { JsonRpcProvider, parseEther } from 'ethers';
import { createPublicClient, http as viemHttp } from 'viem';
import { test, done, random } from './lib/tap.mjs';
import { startStack, startAnvil, putKey, sign } from './lib/stack.mjs';

const r = random();
const [s, anvil] = await Promise.all([startStack(), startAnvil()]);
const { address } = putKey(s, 'miner', r.bytes(32).toString('hex'));
await anvil.rpc('anvil_setBalance', [address, '0x' + parseEther('1000').toString(16)]);
const provider = new JsonRpcProvider(anvil.url, undefined, { cacheTimeout: -1, staticNetwork: true });
const viem = createPublicClient({ transport: viemHttp(anvil.url) });
let nonce = 0;

const fees = [
  { type: 0, gasPrice: '20000000000' },
  { type: 1, gasPrice: '0x4a817c800', accessList: [{ address, storageKeys: ['0x' + '00'.repeat(32)] }] },
  { type: 2, maxFeePerGas: 20000000000, maxPriorityFeePerGas: '1000000000', accessList: [] },
];
// returns 42 for any call
const initcode = '0x600a600c600039600a6000f3602a60005260206000f3';

async function broadcast(tx) {
  const answer = await sign(s, 'miner', { chainId: 31337, nonce: nonce++, from: address, ...tx });
  assert.equal(answer.status, 200, answer.body);
  const sent = await provider.broadcastTransaction(answer.json.signed_transaction);
  assert.equal(sent.hash, answer.json.transaction_hash);
  assert.equal(sent.from, address);
  return sent.wait();
}

for (const fee of fees) {
  await test(`type ${fee.type}: transfers, a deployment and a call are mined`, async () => {
    for (let i = 0; i < 5; i++) {
      const to = r.hex(20);
      const value = 1n + r.big(60);
      const receipt = await broadcast({ ...fee, to, value: value.toString(), gas: 60000 });
      assert.equal(receipt.status, 1);
      assert.equal(await viem.getBalance({ address: to }), value);
    }
    const deployed = await broadcast({ ...fee, data: initcode, gas: 200000 });
    assert.equal(deployed.status, 1);
    const { data } = await viem.call({ to: deployed.contractAddress });
    assert.equal(BigInt(data), 42n);
    const called = await broadcast({ ...fee, to: deployed.contractAddress, data: r.hex(68), gas: 100000 });
    assert.equal(called.status, 1);
  });
}

await test('the nonce that anvil counts is the number of our transactions', async () => {
  assert.equal(await provider.getTransactionCount(address), nonce);
});

await done();
