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
export function sign(gateway: string, keys: StampKey[], request: Omit<StampRequest, 'body'> & { body: object | string }, init?: RequestInit): Promise<{ status: number; proof: string | null; [member: string]: unknown }>;

export interface AttestationTrust {
  roots?: string | Uint8Array | (string | Uint8Array)[];
  pcrs?: Record<number, string | string[]>;
  nonce?: string | Uint8Array;
  at?: number | 'document';
  allowDebug?: boolean;
}
export interface AuditEntry {
  sequence: number;
  time: Date;
  op: string;
  key: string;
  tenant: string;
  request: Uint8Array;
  result: Uint8Array;
  code: string;
  where: string;
  subject: Uint8Array;
  digest: Uint8Array;
}
export interface Proof { publicKey: Uint8Array; before: Uint8Array; entryBytes: Uint8Array; later: Uint8Array; signature: Uint8Array; entry: AuditEntry }
export type ProofTrust = ({ responseKey: string | Uint8Array | (string | Uint8Array)[] } | ({ document: string | Uint8Array } & AttestationTrust)) & { key?: string; op?: string; maxAge?: number; now?: number };
export interface AskedProof { proof: string; request?: string }
export interface RpcCall { id?: string | number | null; method: string; params?: unknown[] }
export interface RpcAnswer { id?: string | number | null; result?: unknown; error?: { code: number; message: string; data?: unknown }; adyton_proofs?: AskedProof[] }
export class ProofError extends Error { reason: 'malformed' | 'key' | 'signature' | 'request' | 'result' | 'time' | 'attestation' | 'missing' }
export function readProof(proof: string | Uint8Array): Proof;
export function responseKey(document: string | Uint8Array, trust?: AttestationTrust): Promise<Uint8Array>;
export function fetchResponseKey(gateway: string, trust?: AttestationTrust, init?: RequestInit): Promise<Uint8Array>;
export function fetchResponseKeys(gateway: string, enclaves: number, trust?: AttestationTrust, init?: RequestInit): Promise<Uint8Array[]>;
export function verify(answer: { proof: string | null; body: string | object }, request: string | ArrayBuffer | Uint8Array | null, trust: ProofTrust): Promise<AuditEntry>;
export function verifyEntry(proof: string | null | undefined, request: string | ArrayBuffer | Uint8Array | null, trust: ProofTrust): Promise<AuditEntry>;
export function proofsOf(body: string | object): AskedProof[];
export function isProved(method: string): boolean;
export function verifyCall(call: RpcCall, answer: RpcAnswer, trust: ProofTrust): Promise<AuditEntry>;
export function verifyCalls(calls: RpcCall[], answers: RpcAnswer[], trust: ProofTrust): Promise<(AuditEntry | null)[]>;
export function verifyDuties(body: { identifiers: string[]; signing_request: object }, answers: object[], trust: ProofTrust): Promise<AuditEntry[]>;
export function addressOf(publicKey: Uint8Array): Uint8Array;
