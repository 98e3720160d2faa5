// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript, pointed at a stack's devcloud with its development CA.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Options for any client: administrator credentials unless others are given. */
export function clientOptions(s, credentials, more = {}) {
  return {
    region: s.region,
    endpoint: s.devcloud,
    credentials: credentials ?? { accessKeyId: s.access_key_id, secretAccessKey: s.secret_access_key },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: readFileSync(s.ca_file), keepAlive: true }) }),
    maxAttempts: 1,
    ...more,
  };
}
