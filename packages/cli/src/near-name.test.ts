import { expect, test } from 'vitest';
import { nearNames } from './near-name.ts';

test.each([
  ['token-lifetme', ['token-lifetime', 'port'], ['token-lifetime']],
  ['resourceServer', ['resource_server', 'identity'], ['resource_server']],
  ['fraud:rad', ['fraud:write', 'fraud:read'], ['fraud:read']],
  ['foo', ['port', 'issuer'], []],
])('%s among %j may be %j', (word, known, near) => {
  expect(nearNames(word, known)).toEqual(near);
});
