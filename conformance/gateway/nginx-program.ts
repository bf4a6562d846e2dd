import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './front-program.ts';
import type { FrontScene } from './front-scene.ts';
import { configOf } from './page.ts';

/** Starts nginx at an address, as docs/guide/gateway-nginx.md says, with what `change` makes of that. */
export async function startNginx(
  program: string,
  { folder, upstream, gateway }: FrontScene,
  address: string,
  change: (config: string) => string = (config) => config,
): Promise<Program> {
  const home = join(folder, 'nginx');
  mkdirSync(home);
  const server = configOf('gateway-nginx.md', 'nginx', {
    '127.0.0.1:8000': address,
    '127.0.0.1:8080': upstream.address,
    'http://127.0.0.1:9180': gateway.ready.auth as string,
  });
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; ${user} worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${change(server)}
}
`,
  );
  return await startProgram([program, '-p', home, '-c', join(home, 'nginx.conf')], { address });
}
