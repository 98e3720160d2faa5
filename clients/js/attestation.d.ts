// SPDX-License-Identifier: Apache-2.0
import type { AttestationTrust } from './index.js';
export const AWS_ROOT_G1_SHA256: string;
export interface Attestation { moduleId: string; timestamp: number; pcrs: Record<number, string>; publicKey: Uint8Array | null; userData: Uint8Array | null; nonce: Uint8Array | null }
export function verifyAttestation(document: string | Uint8Array, trust?: AttestationTrust): Attestation;
