import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newClientId } from '../../static/js/client_id.js';

test('an id of a message is the contract’s, a UUID of version 7, and no two are alike', () => {
  const ids = Array.from({ length: 1000 }, newClientId);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
});

test('what is written later has an id that sorts later, so that the database keeps them side by side', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
  const ids = [0, 1, 65_536, 40 * 365 * 86_400_000].map((later) => {
    context.mock.timers.setTime(Date.UTC(2026, 0, 1) + later);
    return newClientId();
  });
  assert.deepEqual(ids, ids.toSorted());
});
