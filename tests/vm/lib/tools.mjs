// SPDX-License-Identifier: Apache-2.0
// What booting an image needs, found or put together by script/vm-tools.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../e2e/lib/stack.mjs';

/** { } when all is there, else { why }. */
export function findTools() {
  const r = spawnSync(join(root, 'script/vm-tools'), { encoding: 'utf8', timeout: 300000 });
  return r.status === 0 ? {} : { why: (r.stdout ?? '').trim().split('\n').pop() || 'script/vm-tools failed' };
}
