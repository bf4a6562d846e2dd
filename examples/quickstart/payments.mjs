#!/usr/bin/env node
// payments: a machine that calls APIs. node payments.mjs GET http://127.0.0.1:PORT/scores/42
import { readFileSync } from 'node:fs';
import { createClient } from '@countersign/client';
import { findAuthority } from '../stage/find-authority.mjs';

const [method = 'GET', url = ''] = process.argv.slice(2);
const secretFile = process.env['PAYMENTS_SECRET_FILE'] ?? new URL('payments.secret', import.meta.url);

const client = createClient({
  ...findAuthority(),
  clientId: 'payments',
  clientSecret: readFileSync(secretFile, 'utf8').trim(),
  resource: 'https://fraud.example',
});
const response = await client.fetch(url, { method });
console.log(response.status, response.headers.get('www-authenticate') ?? (await response.text()));
await client.close();
