import { expect, test } from 'vitest';
import { runningLines } from './running-lines.ts';

const READY = {
  pid: 7,
  version: '0.1.0',
  issuer: 'https://localhost:8443',
  admin: { client_id: 'admin', api: 'https://localhost:8443/v1' },
};

test('the address of the console is told where one is served, and not where it is switched off', () => {
  const served = runningLines('dev', { ...READY, console: 'https://localhost:8443/console' }, undefined, '/');
  expect(served).toContain('  console     https://localhost:8443/console');
  expect(runningLines('dev', READY, undefined, '/').join('\n')).not.toContain('console');
});
