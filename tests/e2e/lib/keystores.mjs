// SPDX-License-Identifier: Apache-2.0
// EIP-2335 keystores of random validators, by @chainsafe/bls-keystore, quick to open unless told otherwise.
import { Keystore } from '@chainsafe/bls-keystore';
import { SecretKey } from '@chainsafe/blst';

export { SecretKey };

export const SCRYPT = (r, n = 64) => ({ function: 'scrypt', params: { dklen: 32, n, r: 8, p: 1, salt: r.hex(32).slice(2) } });
export const PBKDF2 = (r, c = 2) => ({ function: 'pbkdf2', params: { dklen: 32, c, prf: 'hmac-sha256', salt: r.hex(32).slice(2) } });

/** A validator with its keystore: { secret, pubkey, keystore (text), password }. */
export async function randomKeystore(r, kdf = r.pick([SCRYPT(r), PBKDF2(r)]), password = `pass ${r.hex(4)} ä`) {
  const secret = SecretKey.fromKeygen(r.bytes(32));
  const pub = secret.toPublicKey();
  const keystore = (await Keystore.create(password, secret.toBytes(), pub.toBytes(), 'm/12381/3600/0/0/0', 'test', kdf)).stringify();
  return { secret, pubkey: pub.toHex(), keystore, password };
}

/** As many. */
export const randomKeystores = (r, n, ...rest) => Promise.all(Array.from({ length: n }, () => randomKeystore(r, ...rest)));
