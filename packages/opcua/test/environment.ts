import { afterAll } from 'vitest';

// node-opcua-crypto puts OPENSSL_CONF aside while it reads a key, and the text `undefined` back where there was none; test
// files share their process, and every `openssl` that one of them starts would look for a file of that name.
afterAll(() => {
  if (process.env['OPENSSL_CONF'] === 'undefined') delete process.env['OPENSSL_CONF'];
});
