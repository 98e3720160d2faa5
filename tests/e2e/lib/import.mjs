// SPDX-License-Identifier: Apache-2.0
// Seals a key to an enclave's import key, and opens backups, with @hpke/core (RFC 9180), from doc/protocol.md, "Imports" and "BACKUP".
import { createHash } from 'node:crypto';
import { CipherSuite, HkdfSha256, DhkemX25519HkdfSha256 } from '@hpke/core';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { cbor } from './parent.mjs';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });

/** Resolves to { enc, sealed }; options is the JSON text that goes with it. */
export async function sealImport(publicKey, plaintext, { curve = 'secp256k1', tenant = 'default', options, info = 'adyton import 1' }) {
  const sender = await suite.createSenderContext({ recipientPublicKey: await suite.kem.deserializePublicKey(publicKey), info: new TextEncoder().encode(info).buffer });
  const aad = createHash('sha256').update(`${curve}\0${tenant}\0`).update(options).digest();
  return { enc: Buffer.from(sender.enc), sealed: Buffer.from(await sender.seal(plaintext, aad)) };
}

/** What is in a backup, { curve, tenant, id, public_key: bytes, enc, sealed }, by its 32 secret bytes. */
export async function openBackup(b, secret) {
  const recipientKey = await suite.kem.importKey('raw', secret, false);
  const aad = createHash('sha256').update(`${b.curve}\0${b.tenant}\0${b.id}\0`).update(b.public_key).digest();
  const recipient = await suite.createRecipientContext({ recipientKey, enc: b.enc, info: new TextEncoder().encode('adyton backup 1').buffer });
  return Buffer.from(await recipient.open(b.sealed, aad));
}

/** A key pair to back up to: { secret, public }, 32 bytes each. */
export async function backupPair() {
  const pair = await suite.kem.generateKeyPair();
  const raw = async (key) => Buffer.from(await suite.kem[key.type === 'private' ? 'serializePrivateKey' : 'serializePublicKey'](key));
  return { secret: await raw(pair.privateKey), public: await raw(pair.publicKey) };
}

/** A keystore and its password, sealed for link.import: { enc, sealed, form, curve, options }. */
export async function sealKeystore(publicKey, keystore, password, { id, tenant, options = JSON.stringify({ id }), form } = {}) {
  const text = typeof keystore === 'string' ? keystore : JSON.stringify(keystore);
  form ??= JSON.parse(text).version === 3 ? 2 : 3;
  const curve = form === 2 ? 'secp256k1' : 'bls12-381';
  const plain = cbor([Buffer.from(text), Buffer.from(password)]);
  return { ...(await sealImport(publicKey, plain, { curve, tenant, options })), form, curve: form === 2 ? 0 : 2, options, tenant };
}
