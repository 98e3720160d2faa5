// SPDX-License-Identifier: Apache-2.0
// What wallets and contracts ask accounts to sign: ERC-4337 user operations, Safe transactions, permits, meta transactions.
// Each digest is computed here once more as the contract computes it, by ABI encoding and published type hashes and without
// any EIP-712 library; the signature must recover to the account from that digest.
import assert from 'node:assert/strict';
import http from 'node:http';
import { AbiCoder, SigningKey, concat, getBytes, hashMessage, id as keccakText, keccak256, recoverAddress, toBeHex, zeroPadValue } from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';
import { entryPoint06Address, entryPoint07Address, entryPoint08Address, getUserOperationHash, getUserOperationTypedData } from 'viem/account-abstraction';
import { test, done, random } from './lib/tap.mjs';
import { startStack, putKey } from './lib/stack.mjs';
import { spelled } from './lib/typed.mjs';
import { asker } from './lib/asks.mjs';

const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const secret = r.hex(32);
const key = new SigningKey(secret);
const account = privateKeyToAccount(secret);
const address = putKey(s, 'wallet', secret.slice(2)).address;
putKey(s, 'raw', secret.slice(2), '--allow-digest');
const { signs, refused } = asker(s, key, address, 'wallet');

const abi = (types, values) => AbiCoder.defaultAbiCoder().encode(types, values);
const hashOf = (types, values) => keccak256(abi(types, values));
const typedHash = (domainSeparator, structHash) => keccak256(concat(['0x1901', domainSeparator, structHash]));

/** Signed through the whole stack, with the digest as the contract has it. */
async function signsTyped(doc, digest) {
  const answer = await signs({ typed_data: spelled(r, doc) }, digest);
  assert.equal(recoverAddress(digest, answer.serialized), address);
  assert.equal(recoverAddress(digest, answer.compact), address);
  return answer;
}

const uint = (bits) => r.big(bits);
const chainId = 1 + r.below(100000);
const members = (text) => text.split(',').map((m) => ({ type: m.split(' ')[0], name: m.split(' ')[1] }));

/** A user operation as bundlers have it for entry points from v0.7 on. */
const operation = (paymaster, factory) => ({
  sender: r.hex(20),
  nonce: uint(256),
  ...(factory && { factory: r.hex(20), factoryData: r.hex(36) }),
  callData: r.hex(r.pick([0, 4, 100, 1000])),
  callGasLimit: uint(128),
  verificationGasLimit: uint(128),
  preVerificationGas: uint(200),
  maxFeePerGas: uint(128),
  maxPriorityFeePerGas: uint(128),
  ...(paymaster && { paymaster: r.hex(20), paymasterVerificationGasLimit: uint(128), paymasterPostOpGasLimit: uint(128), paymasterData: r.hex(r.pick([0, 65])) }),
  signature: '0x',
});

const halves = (high, low) => concat([zeroPadValue(toBeHex(high), 16), zeroPadValue(toBeHex(low), 16)]);

/** EIP-4337's PackedUserOperation, here and not by viem. */
const packed = (op) => ({
  sender: op.sender,
  nonce: op.nonce,
  initCode: op.factory ? concat([op.factory, op.factoryData]) : '0x',
  callData: op.callData,
  accountGasLimits: halves(op.verificationGasLimit, op.callGasLimit),
  preVerificationGas: op.preVerificationGas,
  gasFees: halves(op.maxPriorityFeePerGas, op.maxFeePerGas),
  paymasterAndData: op.paymaster ? concat([op.paymaster, halves(op.paymasterVerificationGasLimit, op.paymasterPostOpGasLimit), op.paymasterData]) : '0x',
});

const variants = [[false, false], [true, false], [false, true], [true, true]];

/** Accounts of v0.6 and v0.7 have the hash of the entry point signed as a personal message (SimpleAccount: toEthSignedMessageHash). */
async function signsOperationHash(hash, viemHash) {
  assert.equal(hash, viemHash);
  const answer = await signs({ message: { hex: hash } }, hashMessage(getBytes(hash)));
  assert.equal(answer.serialized, await account.signMessage({ message: { raw: hash } }));
  assert.equal(recoverAddress(hashMessage(getBytes(hash)), answer.serialized), address);
  await signs({ digest: hash }, hash, 'raw'); // those that want the bare hash need a key whose record says so
}

await test('ERC-4337 v0.6: the packed hash, as a personal message', async () => {
  for (const [paymaster, factory] of variants) {
    const { sender, nonce, callData, callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas } = operation();
    const initCode = factory ? r.hex(80) : '0x';
    const paymasterAndData = paymaster ? r.hex(120) : '0x';
    const inner = hashOf(
      ['address', 'uint256', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'uint256', 'uint256', 'bytes32'],
      [sender, nonce, keccak256(initCode), keccak256(callData), callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas, keccak256(paymasterAndData)],
    );
    const hash = hashOf(['bytes32', 'address', 'uint256'], [inner, entryPoint06Address, chainId]);
    const userOperation = { sender, nonce, initCode, callData, callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas, paymasterAndData, signature: '0x' };
    await signsOperationHash(hash, getUserOperationHash({ chainId, entryPointAddress: entryPoint06Address, entryPointVersion: '0.6', userOperation }));
  }
});

const innerTypes = ['address', 'uint256', 'bytes32', 'bytes32', 'bytes32', 'uint256', 'bytes32', 'bytes32'];
const innerValues = (p) => [p.sender, p.nonce, keccak256(p.initCode), keccak256(p.callData), p.accountGasLimits, p.preVerificationGas, p.gasFees, keccak256(p.paymasterAndData)];

await test('ERC-4337 v0.7: the packed hash, as a personal message', async () => {
  for (const [paymaster, factory] of variants) {
    const userOperation = operation(paymaster, factory);
    const hash = hashOf(['bytes32', 'address', 'uint256'], [hashOf(innerTypes, innerValues(packed(userOperation))), entryPoint07Address, chainId]);
    await signsOperationHash(hash, getUserOperationHash({ chainId, entryPointAddress: entryPoint07Address, entryPointVersion: '0.7', userOperation }));
  }
});

const OPERATION = 'address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData';

await test('ERC-4337 v0.8: the same hash is EIP-712', async () => {
  for (const [paymaster, factory] of variants) {
    const userOperation = operation(paymaster, factory);
    const p = packed(userOperation);
    const structHash = hashOf(['bytes32', ...innerTypes], [keccakText(`PackedUserOperation(${OPERATION})`), ...innerValues(p)]);
    const separator = hashOf(
      ['bytes32', 'bytes32', 'bytes32', 'uint256', 'address'],
      [keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'), keccakText('ERC4337'), keccakText('1'), chainId, entryPoint08Address],
    );
    const digest = typedHash(separator, structHash);
    assert.equal(digest, getUserOperationHash({ chainId, entryPointAddress: entryPoint08Address, entryPointVersion: '0.8', userOperation }));
    const doc = { types: { PackedUserOperation: members(OPERATION) }, primaryType: 'PackedUserOperation', domain: { name: 'ERC4337', version: '1', chainId, verifyingContract: entryPoint08Address }, message: p };
    await signsTyped(doc, digest);
    // viem's own document has the operation's signature in it, which no type names
    const typed_data = spelled(r, getUserOperationTypedData({ chainId, entryPointAddress: entryPoint08Address, userOperation }));
    await signs({ typed_data, unknown_members: 'ignore' }, digest);
    await refused({ typed_data }, 'field_unknown', 'typed_data.message.signature');
  }
});

const SAFE_TX = (gas) => `address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 ${gas},uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce`;
// the constants of the contracts: DOMAIN_SEPARATOR_TYPEHASH and SAFE_TX_TYPEHASH
const safes = [
  { version: '0.1.0', gas: 'dataGas', chain: false, domain: '0x035aff83d86937d35b32e04f0ddc6ff469290eef2f1b692d8a815c89404d4749', tx: '0x14d461bc7412367e924637b363c7bf29b8f47e2f84869f4426e5633d8af47b20' },
  { version: '1.0.0 to 1.2.0', gas: 'baseGas', chain: false, domain: '0x035aff83d86937d35b32e04f0ddc6ff469290eef2f1b692d8a815c89404d4749', tx: '0xbb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8' },
  { version: '1.3.0 to 1.5.0', gas: 'baseGas', chain: true, domain: '0x47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218', tx: '0xbb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8' },
];
const safeDomain = (chain, safe) => (chain ? { chainId, verifyingContract: safe } : { verifyingContract: safe });
const safeSeparator = ({ chain, domain }, safe) => (chain ? hashOf(['bytes32', 'uint256', 'address'], [domain, chainId, safe]) : hashOf(['bytes32', 'address'], [domain, safe]));

for (const form of safes) {
  await test(`Safe transactions of versions ${form.version}`, async () => {
    assert.equal(keccakText(`SafeTx(${SAFE_TX(form.gas)})`), form.tx);
    for (let i = 0; i < 5; i++) {
      const safe = r.hex(20);
      const m = { to: r.hex(20), value: uint(256), data: r.hex(r.below(300)), operation: r.below(2), safeTxGas: uint(64), [form.gas]: uint(64), gasPrice: uint(128), gasToken: '0x' + '00'.repeat(20), refundReceiver: r.hex(20), nonce: uint(64) };
      const structHash = hashOf(
        ['bytes32', 'address', 'uint256', 'bytes32', 'uint8', 'uint256', 'uint256', 'uint256', 'address', 'address', 'uint256'],
        [form.tx, m.to, m.value, keccak256(m.data), m.operation, m.safeTxGas, m[form.gas], m.gasPrice, m.gasToken, m.refundReceiver, m.nonce],
      );
      const EIP712Domain = [...(form.chain ? [{ type: 'uint256', name: 'chainId' }] : []), { type: 'address', name: 'verifyingContract' }];
      const doc = { types: { SafeTx: members(SAFE_TX(form.gas)) }, primaryType: 'SafeTx', domain: safeDomain(form.chain, safe), message: m };
      const digest = typedHash(safeSeparator(form, safe), structHash);
      await signsTyped(doc, digest);
      await signsTyped({ ...doc, types: { ...doc.types, EIP712Domain } }, digest);
    }
  });
}

await test('Safe messages', async () => {
  const safe = r.hex(20);
  const message = r.hex(100);
  // SAFE_MSG_TYPEHASH
  const structHash = hashOf(['bytes32', 'bytes32'], ['0x60b3cbf8b4a223d68d641b3b6ddf9a298e7f33710cf3d3a9d1146b5a6150fbca', keccak256(message)]);
  const doc = { types: { SafeMessage: [{ type: 'bytes', name: 'message' }] }, primaryType: 'SafeMessage', domain: safeDomain(true, safe), message: { message } };
  await signsTyped(doc, typedHash(safeSeparator(safes[2], safe), structHash));
});

const separatorOf = (name, version, contract) =>
  hashOf(
    ['bytes32', 'bytes32', 'bytes32', 'uint256', 'address'],
    [keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'), keccakText(name), keccakText(version), chainId, contract],
  );

await test('EIP-2612 permits, and the one of DAI', async () => {
  const token = r.hex(20);
  const m = { owner: address, spender: r.hex(20), value: (1n << 256n) - 1n, nonce: uint(64), deadline: uint(40) };
  const PERMIT = '0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9'; // PERMIT_TYPEHASH of EIP-2612
  const structHash = hashOf(['bytes32', 'address', 'address', 'uint256', 'uint256', 'uint256'], [PERMIT, m.owner, m.spender, m.value, m.nonce, m.deadline]);
  for (const version of ['1', '2']) {
    const domain = { name: 'USD Coin', version, chainId, verifyingContract: token };
    await signsTyped({ types: { Permit: members('address owner,address spender,uint256 value,uint256 nonce,uint256 deadline') }, primaryType: 'Permit', domain, message: m }, typedHash(separatorOf('USD Coin', version, token), structHash));
  }
  const d = { holder: address, spender: m.spender, nonce: m.nonce, expiry: 0, allowed: true };
  const DAI = '0xea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb';
  const daiHash = hashOf(['bytes32', 'address', 'address', 'uint256', 'uint256', 'bool'], [DAI, d.holder, d.spender, d.nonce, d.expiry, d.allowed]);
  const domain = { name: 'Dai Stablecoin', version: '1', chainId, verifyingContract: token };
  await signsTyped({ types: { Permit: members('address holder,address spender,uint256 nonce,uint256 expiry,bool allowed') }, primaryType: 'Permit', domain, message: d }, typedHash(separatorOf('Dai Stablecoin', '1', token), daiHash));
});

const DETAILS = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const permitDetails = () => ({ token: r.hex(20), amount: uint(160), expiration: uint(48), nonce: uint(48) });
const detailsHash = (d) => hashOf(['bytes32', 'address', 'uint160', 'uint48', 'uint48'], [keccakText(DETAILS), d.token, d.amount, d.expiration, d.nonce]);

await test('Permit2: single, batch, transfer, and transfer with a witness', async () => {
  const permit2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
  const separator = hashOf(['bytes32', 'bytes32', 'uint256', 'address'], [keccakText('EIP712Domain(string name,uint256 chainId,address verifyingContract)'), keccakText('Permit2'), chainId, permit2]);
  const domain = { name: 'Permit2', chainId, verifyingContract: permit2 };
  const spender = r.hex(20);
  const details = [permitDetails(), permitDetails(), permitDetails()];
  const PermitDetails = members(DETAILS.slice('PermitDetails('.length, -1));
  const single = hashOf(['bytes32', 'bytes32', 'address', 'uint256'], [keccakText(`PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${DETAILS}`), detailsHash(details[0]), spender, 99n]);
  await signsTyped({ types: { PermitSingle: members('PermitDetails details,address spender,uint256 sigDeadline'), PermitDetails }, primaryType: 'PermitSingle', domain, message: { details: details[0], spender, sigDeadline: 99n } }, typedHash(separator, single));
  const batch = hashOf(['bytes32', 'bytes32', 'address', 'uint256'], [keccakText(`PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${DETAILS}`), keccak256(concat(details.map(detailsHash))), spender, 99n]);
  await signsTyped({ types: { PermitDetails, PermitBatch: members('PermitDetails[] details,address spender,uint256 sigDeadline') }, primaryType: 'PermitBatch', domain, message: { details, spender, sigDeadline: 99n } }, typedHash(separator, batch));

  const TOKENS = 'TokenPermissions(address token,uint256 amount)';
  const permitted = { token: r.hex(20), amount: uint(256) };
  const permittedHash = hashOf(['bytes32', 'address', 'uint256'], [keccakText(TOKENS), permitted.token, permitted.amount]);
  const TokenPermissions = members('address token,uint256 amount');
  const message = { permitted, spender, nonce: uint(256), deadline: uint(40) };
  const plain = 'TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline';
  const transfer = hashOf(['bytes32', 'bytes32', 'address', 'uint256', 'uint256'], [keccakText(`PermitTransferFrom(${plain})${TOKENS}`), permittedHash, spender, message.nonce, message.deadline]);
  await signsTyped({ types: { PermitTransferFrom: members(plain), TokenPermissions }, primaryType: 'PermitTransferFrom', domain, message }, typedHash(separator, transfer));

  // referenced types stand in the order of their names: Order before TokenPermissions
  const order = { maker: address, salt: r.hex(32) };
  const ORDER = 'Order(address maker,bytes32 salt)';
  const orderHash = hashOf(['bytes32', 'address', 'bytes32'], [keccakText(ORDER), order.maker, order.salt]);
  const witness = hashOf(['bytes32', 'bytes32', 'address', 'uint256', 'uint256', 'bytes32'], [keccakText(`PermitWitnessTransferFrom(${plain},Order witness)${ORDER}${TOKENS}`), permittedHash, spender, message.nonce, message.deadline, orderHash]);
  await signsTyped({ types: { PermitWitnessTransferFrom: members(`${plain},Order witness`), TokenPermissions, Order: members('address maker,bytes32 salt') }, primaryType: 'PermitWitnessTransferFrom', domain, message: { ...message, witness: order } }, typedHash(separator, witness));
});

await test('a domain with salt, in the order of its type: the meta transactions of Polygon', async () => {
  const contract = r.hex(20);
  const salt = zeroPadValue(toBeHex(137), 32);
  const separator = hashOf(['bytes32', 'bytes32', 'bytes32', 'address', 'bytes32'], [keccakText('EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)'), keccakText('USD Coin (PoS)'), keccakText('1'), contract, salt]);
  const m = { nonce: uint(64), from: address, functionSignature: r.hex(68) };
  const structHash = hashOf(['bytes32', 'uint256', 'address', 'bytes32'], [keccakText('MetaTransaction(uint256 nonce,address from,bytes functionSignature)'), m.nonce, m.from, keccak256(m.functionSignature)]);
  const doc = { types: { MetaTransaction: members('uint256 nonce,address from,bytes functionSignature') }, primaryType: 'MetaTransaction', domain: { name: 'USD Coin (PoS)', version: '1', verifyingContract: contract, salt }, message: m };
  await signsTyped(doc, typedHash(separator, structHash));
  await signsTyped({ ...doc, types: { EIP712Domain: members('string name,string version,address verifyingContract,bytes32 salt'), ...doc.types } }, typedHash(separator, structHash));
  // a type of the domain decides the order, whatever the EIP says
  const odd = hashOf(['bytes32', 'bytes32', 'bytes32'], [keccakText('EIP712Domain(bytes32 salt,string name)'), salt, keccakText('x')]);
  await signsTyped({ ...doc, types: { EIP712Domain: members('bytes32 salt,string name'), ...doc.types }, domain: { name: 'x', salt } }, typedHash(odd, structHash));
});

await test('EIP-3009 transfers', async () => {
  const token = r.hex(20);
  const m = { from: address, to: r.hex(20), value: uint(256), validAfter: 0n, validBefore: uint(40), nonce: r.hex(32) };
  const TRANSFER = '0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267'; // TRANSFER_WITH_AUTHORIZATION_TYPEHASH
  const structHash = hashOf(['bytes32', 'address', 'address', 'uint256', 'uint256', 'uint256', 'bytes32'], [TRANSFER, m.from, m.to, m.value, m.validAfter, m.validBefore, m.nonce]);
  const doc = { types: { TransferWithAuthorization: members('address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce') }, primaryType: 'TransferWithAuthorization', domain: { name: 'USD Coin', version: '2', chainId, verifyingContract: token }, message: m };
  await signsTyped(doc, typedHash(separatorOf('USD Coin', '2', token), structHash));
});

await done();
