/**
 * How long a cut-off takes from the order to the refusal, with many verifiers in a few processes, under load, and with the
 * authority killed and started again in the middle; and whether any of many tokens that were raced against an order is
 * taken afterwards.
 *
 * As a program: `node cutoff.mjs '{"instances":20,…}'` prints what it measured as JSON (see SETTINGS).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { administrator, fill, freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { percentile } from './load.mjs';
import { table } from './machine.mjs';

const SETTINGS = {
  /** Verifiers, and the processes that they are in. */
  instances: 200,
  processes: 4,
  /** Orders before and after the kill, each. */
  orders: 10,
  /** Tokens that are raced against an order. */
  race: 10_000,
  /** For each process. */
  tokensPerSecond: 50,
  verificationsPerToken: 20,
  /** Seconds for which the verifier that is away is stopped; it counts as stale after 2. */
  away: 4,
};

/** What a verifier process answers, by name. */
class Verifiers {
  #child = fork(fileURLToPath(new URL('./cutoff-verifiers.mjs', import.meta.url))).setMaxListeners(100);

  get pid() {
    return this.#child.pid;
  }

  /** Sends, and waits for the answer `is` (of that name, where it has one). */
  async ask(message, is) {
    const answer = this.hear(is, message.name);
    this.#child.send(message);
    return await answer;
  }

  hear(is, name) {
    return new Promise((resolve, reject) => {
      const onExit = (code) => reject(new Error(`a verifier process ended with ${code}`));
      const listen = (message) => {
        if (message.is === 'failed') reject(new Error(`${message.what}: ${message.error}`));
        if (message.is !== is || message.name !== name) return;
        this.#child.off('message', listen).off('exit', onExit);
        resolve(message);
      };
      this.#child.on('message', listen).once('exit', onExit);
    });
  }

  signal(name) {
    this.#child.kill(name);
  }

  async close() {
    if (this.#child.exitCode !== null) return;
    // Whoever still waits for an answer has failed already; that it never comes is no news.
    this.#child.removeAllListeners('exit');
    const ended = once(this.#child, 'exit');
    this.#child.send({ do: 'close' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}

/** A loopback port that was free a moment ago: the issuer has to survive a restart. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const basic = ({ client_id: id, client_secret: secret }) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

async function tokenOf(endpoint, client, resource) {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: basic(client) },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  return answer.ok ? (await answer.json()).access_token : undefined;
}

/** @param {Partial<typeof SETTINGS>} given @param {(text: string) => void} say */
export async function measure(given, say = () => undefined) {
  const settings = { ...SETTINGS, ...given };
  const port = await freePort();
  const dataDir = freshFolder();
  const start = () => startAuthority({ dataDir, port });
  let authority = await start();
  const { ready } = authority;
  const { admin } = ready;
  const processes = [];
  try {
    const targets = settings.orders * 2 + 4;
    const { resource, clients } = await fill(ready, targets + 1);
    const [worker, racer, gone, struck, ...victims] = clients;
    const load = {
      endpoint: ready.token_endpoint,
      authorization: basic(worker),
      resource,
      tokensPerSecond: settings.tokensPerSecond,
      verificationsPerToken: settings.verificationsPerToken,
    };
    const perProcess = Math.ceil(settings.instances / settings.processes);
    for (let i = 0; i < settings.processes; i++) processes.push(new Verifiers());
    const common = { do: 'open', issuer: ready.issuer, audience: resource };
    await Promise.all(
      processes.map((each) => each.ask({ ...common, count: perProcess, staleAfter: 10, load }, 'open')),
    );
    say(`${perProcess * settings.processes} verifiers in ${settings.processes} processes follow`);
    let post = await administrator(ready);
    const order = (client) => post('/cutoffs', { kind: 'identity', id: client.client_id, reason: 'bench' });

    /** From just before the order to the refusal of its token by each verifier, in ms. */
    const cut = async (client, afterOrder = async () => undefined) => {
      const name = client.client_id;
      const token = await tokenOf(ready.token_endpoint, client, resource);
      const refusals = processes.map((each) => each.hear('refused', name));
      const watching = await Promise.all(
        processes.map((each) => each.ask({ do: 'watch', name, token }, 'watching')),
      );
      const accepted = watching.reduce((sum, each) => sum + each.accepted, 0);
      if (accepted !== perProcess * settings.processes) throw new Error(`${accepted} took the token before`);
      const orderedAt = Date.now();
      await order(client);
      await afterOrder();
      const answers = await Promise.all(refusals);
      return {
        times: answers.flatMap(({ refusedAt }) => refusedAt.map((at) => at - orderedAt)),
        takenAgain: answers.reduce((sum, each) => sum + each.takenAgain, 0),
      };
    };

    const killAndStart = async () => {
      const begin = performance.now();
      process.kill(authority.ready.pid, 'SIGKILL');
      await authority.stop().catch(() => undefined);
      authority = await start();
      post = await administrator({ ...authority.ready, admin });
      return Math.round(performance.now() - begin);
    };

    const times = [];
    let takenAgain = 0;
    const orders = async (some) => {
      for (const client of some) {
        const done = await cut(client);
        times.push(...done.times);
        takenAgain += done.takenAgain;
      }
    };
    await orders(victims.slice(0, settings.orders));
    say(`${settings.orders} orders; killing the authority`);
    const downMs = await killAndStart();
    // The first order after the restart comes before most verifiers are back.
    await orders(victims.slice(settings.orders, settings.orders * 2));
    say(`${settings.orders} orders more; killing it right after an order`);
    let struckDownMs = 0;
    const afterKill = await cut(struck, async () => {
      struckDownMs = await killAndStart();
    });
    takenAgain += afterKill.takenAgain;

    const race = await raceOf({ settings, ready, client: racer, resource, order, processes });
    say(`${race.issued} tokens raced`);
    const away = await awayOf({ settings, ready, client: gone, resource, order, common });
    times.sort((a, b) => a - b);
    return {
      instances: perProcess * settings.processes,
      processes: settings.processes,
      refusals: times.length,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      max: times.at(-1),
      takenAgain,
      downMs,
      afterKill: { downMs: struckDownMs, max: Math.max(...afterKill.times) },
      race,
      away,
    };
  } finally {
    await Promise.all(processes.map((each) => each.close().catch(() => undefined)));
    await authority.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Requests that follow the order at least. */
const AFTER_THE_RACE = 500;

/** Many requests for tokens at once, an order among them; afterwards none of the tokens may be taken. */
async function raceOf({ settings, ready, client, resource, order, processes }) {
  const tokens = [];
  let asked = 0;
  let refused = 0;
  /** @type {Promise<any> | undefined} */
  let placed;
  let ordered = false;
  const ask = async () => {
    while (asked < settings.race + AFTER_THE_RACE || !ordered) {
      asked++;
      if (asked === settings.race)
        placed = order(client).then((record) => {
          ordered = true;
          return record;
        });
      const late = ordered;
      const token = await tokenOf(ready.token_endpoint, client, resource);
      if (token === undefined) refused++;
      else tokens.push({ token, late });
    }
  };
  await Promise.all(Array.from({ length: 64 }, ask));
  const notBefore = Date.parse((await placed).not_before) / 1000;
  await sleep(2000);
  const iatOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).iat;
  const judged = await Promise.all(
    processes.map((each) =>
      each.ask({ do: 'judge', name: 'race', tokens: tokens.map(({ token }) => token) }, 'judged'),
    ),
  );
  return {
    asked,
    issued: tokens.length,
    refused,
    issuedAfterTheOrder: tokens.filter(({ late }) => late).length,
    laterThanNotBefore: tokens.filter(({ token }) => iatOf(token) > notBefore).length,
    takenAfterwards: judged.reduce((sum, { reasons }) => sum + (reasons['ok'] ?? 0), 0),
    reasons: judged[0].reasons,
  };
}

/** A verifier that is stopped while the order comes: what it says from the moment it goes on. */
async function awayOf({ settings, ready, client, resource, order, common }) {
  const verifier = new Verifiers();
  try {
    await verifier.ask({ ...common, count: 1, staleAfter: 2 }, 'open');
    const token = await tokenOf(ready.token_endpoint, client, resource);
    const name = 'away';
    const glanced = verifier.ask(
      { do: 'glance', name, token, forMs: settings.away * 1000 + 3000 },
      'glanced',
    );
    await sleep(500);
    verifier.signal('SIGSTOP');
    await order(client);
    await sleep(settings.away * 1000);
    const backAt = Date.now();
    verifier.signal('SIGCONT');
    const { seen, lastTakenAt } = await glanced;
    return { tookWhenBack: lastTakenAt >= backAt, reasons: seen };
  } finally {
    verifier.signal('SIGCONT');
    await verifier.close();
  }
}

/** @param {{say: (text: string) => void}} options @returns {Promise<string | undefined>} Markdown */
export async function run({ say }) {
  if (!isBuilt()) {
    say('cutoff is NOT in this run: countersign is not built');
    return undefined;
  }
  const result = await measure({}, say);
  const rows = [
    ['order → refusal, p50', `${result.p50} ms`, ''],
    ['order → refusal, p99', `${result.p99} ms`, 'under 2,000 ms'],
    ['order → refusal, longest', `${result.max} ms`, ''],
    ['taken again after it was refused', String(result.takenAgain), '0'],
    [
      'killed right after the order: longest',
      `${result.afterKill.max} ms; the authority was back after ${result.afterKill.downMs} ms`,
      '',
    ],
    [
      `raced against an order: ${result.race.issued} tokens of ${result.race.asked} requests, taken after 2 s`,
      String(result.race.takenAfterwards),
      '0',
    ],
    ['taken by a verifier that was away, when it is back', result.away.tookWhenBack ? 'yes' : 'no', 'no'],
  ];
  const method =
    `${result.instances} verifiers in ${result.processes} processes; each process gets ${SETTINGS.tokensPerSecond} tokens a second and verifies each ` +
    `${SETTINGS.verificationsPerToken} times; ${SETTINGS.orders} orders, then kill -9 and a restart (${result.downMs} ms), then ${SETTINGS.orders} more. ` +
    `Everything on one machine.`;
  return `${method}\n\n${table(['', 'measured', 'wanted'], rows)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = JSON.parse(process.argv[2] ?? '{}');
  const result = await measure(given, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
