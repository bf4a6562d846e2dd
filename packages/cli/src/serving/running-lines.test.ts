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

test('a start that tells no secret proposes nothing that needs one, and says where another comes from', () => {
  const later = runningLines('serve', READY, 'r.json', '/').join('\n');
  expect(later).not.toContain('token get');
  expect(later).toContain('countersign admin reset --data-dir DIR');
  const admin = { ...READY.admin, client_secret: 'csk_x' };
  const first = runningLines('serve', { ...READY, admin }, 'r.json', '/').join('\n');
  expect(first).toContain('token get --ready-file r.json');
  expect(first).not.toContain('admin reset');
  expect(first).not.toContain('csk_x');
});
