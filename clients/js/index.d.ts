// SPDX-License-Identifier: Apache-2.0
export interface StampKey { name: string; privateKey: CryptoKey; publicKey?: CryptoKey }
export interface StampRequest {
  body: string | ArrayBuffer | Uint8Array;
  key: string;
  deployment: string;
  tenant?: string;
  op?: string;
  life?: number;
  id?: string;
  now?: number;
}
export function base64url(bytes: ArrayBuffer | Uint8Array): string;
export function keyName(publicKey: CryptoKey): Promise<string>;
export function generateKey(type?: 'ed25519' | 'p256', extractable?: boolean): Promise<StampKey>;
export function readKeyFile(text: string, name: string): Promise<StampKey>;
export function stampInput(by: string, request: StampRequest): Promise<string>;
export function stamp(key: StampKey, request: StampRequest): Promise<string>;
export function webauthnChallenge(input: string): Promise<Uint8Array>;
export function webauthnStamp(input: string, assertion: { signature: ArrayBuffer | Uint8Array; authenticatorData: ArrayBuffer | Uint8Array; clientDataJSON: ArrayBuffer | Uint8Array }): string;
export function webauthnName(rpId: string, publicKey: CryptoKey): Promise<string>;
export function sign(gateway: string, keys: StampKey[], request: Omit<StampRequest, 'body'> & { body: object | string }, init?: RequestInit): Promise<{ status: number; [member: string]: unknown }>;
