// SPDX-License-Identifier: Apache-2.0
/** WebCrypto, of the browser or of Node; Node 18, which Debian 12 has, keeps it in a module of its own. */
export const webcrypto = globalThis.crypto ?? (await import('node:crypto')).webcrypto;
