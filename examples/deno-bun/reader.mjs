// A machine that calls an API, in Deno or Bun, and says what it was answered.
//   deno run --allow-net --allow-read --allow-env reader.mjs GET http://127.0.0.1:PORT/     bun reader.mjs GET …
import { createClient } from '@countersign/client';
import { findAuthority } from '../stage/find-authority.mjs';

const [method = 'GET', url = ''] = process.argv.slice(2);
const client = createClient({
  ...findAuthority(),
  clientId: process.env['CLIENT_ID'] ?? 'reader',
  clientSecret: process.env['CLIENT_SECRET'] ?? '',
  resource: process.env['AUDIENCE'] ?? 'https://reports.example',
});
const response = await client.fetch(url, { method });
console.log(response.status, response.headers.get('www-authenticate') ?? (await response.text()));
await client.close();
process.exit(0);
