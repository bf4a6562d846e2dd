/**
 * What an answer about a JWT costs (RFC 7662) beside issuing one, on one authority in one run: asked again and again, for the
 * first time, and for the first time of a token that this process does not know to have signed, when its signature has to be verified.
 */
import { rmSync } from 'node:fs';
import { addressed, idleMegabytes } from './contestant.mjs';
import { fill, freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { introspectionRequest } from './load.mjs';
import { table } from './machine.mjs';
import { interleave, times } from './rounds.mjs';

/**
 * Three times what the authority remembers (10,000): connections do not go equally fast, and with 12,000 those that ran ahead met
 * tokens again that were still known.
 */
const TOKENS = 30_000;
const CONNECTIONS = 64;
const VERIFIED = 'introspection, for the first time, its signature verified';

/** `count` tokens of the clients in turn, each with its client. */
async function obtain(ready, filled, count) {
  const got = [];
  const one = async (at) => {
    const client = filled.clients[at % filled.clients.length];
    const response = await fetch(ready.token_endpoint, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: filled.resource,
        scope: filled.scope,
      }),
    });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    got.push({ client, token: (await response.json()).access_token });
  };
  for (let at = 0; at < count; at += 32)
    await Promise.all(Array.from({ length: Math.min(32, count - at) }, (_, k) => one(at + k)));
  return got;
}

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number, clients: number,
 *   say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) {
    options.say('countersign is NOT in this run: it is not built');
    return undefined;
  }
  const dataDir = freshFolder();
  const authority = await startAuthority({ dataDir, prefix: options.apart.server });
  try {
    const { ready } = authority;
    const idle = await idleMegabytes(ready.pid);
    const filled = await fill(ready, options.clients);
    const issuing = addressed({ token_endpoint: ready.token_endpoint, ...filled });
    const asking = (got) =>
      got.map(({ client, token }) =>
        introspectionRequest({
          host: new URL(ready.issuer).hostname,
          port: issuing.port,
          path: '/oauth/introspect',
          clientId: client.client_id,
          clientSecret: client.client_secret,
          token,
        }).toString('base64'),
      );
    const common = {
      pid: ready.pid,
      host: issuing.host,
      port: issuing.port,
      idle,
      stop: authority.stop,
      expects: 'active',
    };
    // Before anybody has asked about a token, an authority does not note what it signs: these are like those of another process.
    // About each of them is asked once in all rounds together: the second time it would be known, too.
    const unknown = {
      ...common,
      name: VERIFIED,
      requests: asking(await obtain(ready, filled, TOKENS)),
      count: Math.floor(TOKENS / options.rounds) - CONNECTIONS,
    };
    const again = {
      ...common,
      name: 'introspection, again and again',
      requests: unknown.requests.slice(0, options.clients),
    };
    const apart = { connections: CONNECTIONS, prefix: options.apart.load };
    await interleave([again], { ...options, ...apart, rounds: 1, say: () => undefined });
    const first = {
      ...common,
      name: 'introspection, for the first time',
      requests: asking(await obtain(ready, filled, TOKENS)),
    };
    const issue = { ...common, name: 'token endpoint', requests: issuing.requests, expects: undefined };
    const contestants = [issue, again, first, unknown];
    const results = await interleave(contestants, { ...options, ...apart });
    const rows = results.map((one) => [
      one.name,
      one.cpu.toFixed(0),
      Math.round(1e6 / one.cpu).toLocaleString('en'),
      Math.round(one.rate).toLocaleString('en'),
      one.p50.toFixed(2),
      one.p99.toFixed(2),
    ]);
    const head = ['', 'CPU µs each', 'per CPU-second', 'per second', 'p50 ms', 'p99 ms'];
    const [issued, ...others] = results;
    const said = others.map((one) => {
      const { median, low, high } = times(one, issued);
      return `- ${one.name}: **${median.toFixed(2)}×** (rounds: ${low.toFixed(2)}–${high.toFixed(2)}) the answers per CPU-second of the token endpoint; wanted: at least 0.7`;
    });
    const method = `${options.rounds} interleaved rounds of ${options.seconds} s each, ${options.clients} clients, ${CONNECTIONS} connections; medians; ${options.apart.note}`;
    return [`${method}.`, table(head, rows), said.join('\n')].join('\n\n');
  } finally {
    await authority.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
