import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { begin, call, framed, openSession } from '../test/grpc-call.ts';
import { type RunningAgent, startAgent } from './agent.ts';
import { MOST_REQUEST_BYTES } from './grpc/frames.ts';
import { readFields, textOf } from './protobuf/reader.ts';
import { MessageWriter } from './protobuf/writer.ts';

const UID = process.getuid?.() ?? 0;
const ORDERS = 'spiffe://example.org/identity/orders';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function jwt(claims: object, kid = 'k1', privateKey = key.privateKey): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'ES256', kid, typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

interface Registered {
  id: string;
  spiffe_id: string;
  selectors: string[];
  hint: string;
}

/** An authority as far as the agent sees it: what it answers, and whether it answers. */
class Authority {
  workloads: Registered[] = [];
  mode: 'up' | 'away' | 'refusing' = 'up';
  jwtAsked = 0;
  lifetime = 300;
  /** Of the key that signs JWT-SVIDs, which is the only one in the bundle. */
  kid = 'k1';
  /** Who signs X.509-SVIDs; undefined: the authority does not say. */
  issuer: string | undefined;
  /** Refuses to make X.509-SVIDs, and says nothing else against anybody. */
  sparing = false;
  foreign: object = {};
  crl: { readonly crl: readonly string[]; readonly crl_content?: string } = { crl: [] };
  readonly requests: string[] = [];

  fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    if (this.mode === 'away') throw new TypeError('fetch failed');
    if (this.mode === 'refusing') return Response.json({ code: 'insufficient_scope' }, { status: 403 });
    const path = new URL(url).pathname;
    if (path === '/v1/svids') return Response.json(this.#served());
    const body = JSON.parse(String(init?.body)) as { workload: string; audience: string[] };
    const found = this.workloads.find(({ id }) => id === body.workload);
    if (found === undefined) return Response.json({ code: 'not_found' }, { status: 404 });
    if (path === '/v1/svids/x509' && this.sparing)
      return Response.json({ code: 'end_out_of_range' }, { status: 422 });
    if (path === '/v1/svids/x509') return this.#x509(String(init?.body), found.spiffe_id);
    this.jwtAsked++;
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + this.lifetime;
    const claims = { sub: found.spiffe_id, aud: body.audience, iat, exp, jti: `j${this.jwtAsked}` };
    const svid = jwt(claims, this.kid);
    return Response.json({
      svid,
      spiffe_id: found.spiffe_id,
      expires_at: new Date(exp * 1000).toISOString(),
    });
  };

  #x509(body: string, spiffeId: string): Response {
    this.requests.push((JSON.parse(body) as { csr: string }).csr);
    const texts = [`chain ${this.requests.length}`, ...(this.issuer === undefined ? [] : [this.issuer])];
    const chain = texts.map((text) => Buffer.from(text).toString('base64'));
    const expiresAt = new Date(Date.now() + this.lifetime * 1000).toISOString();
    return Response.json({ chain, spiffe_id: spiffeId, expires_at: expiresAt });
  }

  #served(): object {
    const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: this.kid, alg: 'ES256' };
    const issuers =
      this.issuer === undefined ? {} : { issuers: [Buffer.from(this.issuer).toString('base64')] };
    return {
      trust_domain: 'example.org',
      workloads: this.workloads,
      bundles: {
        'example.org': { jwt: { keys: [jwk] }, x509: [Buffer.from('root').toString('base64')] },
        ...this.foreign,
      },
      ...issuers,
      ...this.crl,
    };
  }
}

const mine: Registered = { id: 'wkl_1', spiffe_id: ORDERS, selectors: [`unix:uid:${UID}`], hint: 'main' };
const asking = (audience: readonly string[], spiffeId = ''): Buffer => {
  const request = new MessageWriter();
  for (const each of audience) request.bytes(1, Buffer.from(each));
  return framed(request.string(2, spiffeId).finish());
};
const validating = (audience: string, svid: string): Buffer =>
  framed(new MessageWriter().string(1, audience).string(2, svid).finish());
/** `spiffe_id` of each SVID of a response. */
const idsIn = (message: Buffer): string[] =>
  readFields(message).map((svid) => {
    if (svid.kind !== 'bytes') throw new Error('not a message');
    return readFields(svid.value)
      .filter(({ field }) => field === 1)
      .map(textOf)
      .join();
  });
/** `x509_svid` of the first SVID of a response. */
const chainIn = (message: Buffer): string => {
  const [svid] = readFields(message);
  if (svid?.kind !== 'bytes') throw new Error('not a message');
  return readFields(svid.value)
    .filter(({ field }) => field === 2)
    .map(textOf)
    .join();
};
const tokenIn = (message: Buffer): string => {
  const [svid] = readFields(message);
  if (svid?.kind !== 'bytes') throw new Error('not a message');
  return (
    readFields(svid.value)
      .filter(({ field }) => field === 2)
      .map(textOf)[0] ?? ''
  );
};

/** The first message of the bundles, as text. */
async function bundleOf(session: ClientHttp2Session): Promise<string> {
  const messages: Buffer[] = [];
  const watching = begin(session, 'FetchJWTBundles', undefined, {}, (message) => messages.push(message));
  await until(async () => messages.length > 0);
  watching.cancel();
  return String(messages[0]);
}

describe.skipIf(process.platform !== 'linux')('the Workload API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'));
  chmodSync(folder, 0o755);
  let authority: Authority;
  let agent: RunningAgent;
  let session: ClientHttp2Session;
  const reports: string[] = [];
  let count = 0;

  beforeEach(async () => {
    authority = new Authority();
    authority.workloads = [mine];
    agent = await startAgent({
      issuer: 'https://authority.example',
      client: { fetch: authority.fetch as never },
      socket: join(folder, `s${count++}`),
      everyMs: 20,
      now: () => Date.now(),
      random: () => 0.5,
      report: (text) => reports.push(text),
    });
    session = openSession(agent.endpoint.slice('unix://'.length));
    await until(async () => (await call(session, 'FetchJWTSVID', asking(['a']))).status !== 14);
  });
  afterEach(async () => {
    session.close();
    await agent.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives a JWT-SVID of each identity that the caller has', async () => {
    authority.workloads = [mine, { ...mine, id: 'wkl_2', spiffe_id: `${ORDERS}-2`, hint: 'second' }];
    await until(async () => {
      const { messages } = await call(session, 'FetchJWTSVID', asking(['a']));
      return idsIn(messages[0] as Buffer).length === 2;
    });
    const { messages, status } = await call(session, 'FetchJWTSVID', asking(['a'], `${ORDERS}-2`));
    expect(status).toBe(0);
    expect(idsIn(messages[0] as Buffer)).toEqual([`${ORDERS}-2`]);
  });

  it('asks the authority once for what is asked for again within the first half of its life', async () => {
    const before = authority.jwtAsked;
    const [one, other] = [
      await call(session, 'FetchJWTSVID', asking(['b', 'c'])),
      await call(session, 'FetchJWTSVID', asking(['c', 'b'])),
    ];
    expect(authority.jwtAsked).toBe(before + 1);
    expect(one.messages).toEqual(other.messages);
  });

  it.each([
    ['without the security header', 'FetchJWTSVID', { 'workload.spiffe.io': undefined }, 3],
    ['with another value of it', 'FetchJWTSVID', { 'workload.spiffe.io': 'TRUE' }, 3],
    ['with two values of it', 'FetchJWTSVID', { 'workload.spiffe.io': ['true', 'true'] }, 3],
    ['of a method that there is not', 'FetchEverything', {}, 12],
    ['of a method that is not there yet', 'FetchWITSVID', {}, 12],
    ['of another service', '/grpc.health.v1.Health/Check', {}, 12],
    ['that says it is compressed', 'FetchJWTSVID', { 'grpc-encoding': 'gzip' }, 12],
    ['with a malformed timeout', 'FetchJWTSVID', { 'grpc-timeout': '1 s' }, 3],
  ])('refuses a call %s', async (_what, method, headers, status) => {
    expect(await call(session, method, asking(['a']), headers)).toMatchObject({ http: 200, status });
  });

  it('answers what is not gRPC in the words of HTTP', async () => {
    expect((await call(session, 'FetchJWTSVID', asking(['a']), { 'content-type': 'text/html' })).http).toBe(
      415,
    );
    expect((await call(session, 'FetchJWTSVID', asking(['a']), { ':method': 'PUT' })).http).toBe(405);
  });

  it.each([
    ['no audience', asking([]), 3],
    ['an empty audience', asking(['']), 3],
    ['eleven audiences', asking(Array.from({ length: 11 }, (_, at) => `a${at}`)), 3],
    ['a SPIFFE ID that is none', asking(['a'], 'https://example.org/orders'), 3],
    ['the SPIFFE ID of a trust domain', asking(['a'], 'spiffe://example.org'), 3],
    ['an identity of somebody else', asking(['a'], 'spiffe://example.org/identity/ledger'), 7],
    ['a message that is none', framed(Buffer.from([0x0a, 0xff, 0x01])), 3],
    ['no message', Buffer.alloc(0), 3],
    ['half a message', asking(['a']).subarray(0, 7), 3],
    ['two messages', Buffer.concat([asking(['a']), asking(['a'])]), 12],
    ['a compressed message', framed(Buffer.from([10, 1, 97]), 1), 12],
    ['a message that is too long', framed(Buffer.alloc(MOST_REQUEST_BYTES + 1)), 8],
  ])('refuses a request with %s', async (_what, body, status) => {
    expect((await call(session, 'FetchJWTSVID', body)).status).toBe(status);
  });

  it('ends a call when its time is over', async () => {
    const answer = await call(session, 'FetchJWTBundles', framed(Buffer.alloc(0)), {
      'grpc-timeout': '150m',
    });
    expect(answer.messages).toHaveLength(1);
    expect(answer.status).toBe(4);
  });

  it('gives nothing to a process of another user', async (context) => {
    if (UID !== 0) return context.skip('by design: only root becomes another user');
    const script = join(folder, 'caller.mjs');
    writeFileSync(script, OTHER_USER);
    const args = [script, agent.endpoint.slice('unix://'.length), asking(['a']).toString('hex')];
    const said = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, args, { cwd: '/' }, (error, out) =>
        error === null ? resolve(out) : reject(error),
      );
    });
    expect(said.trim()).toBe('7');
    expect(await call(session, 'FetchJWTSVID', asking(['a']))).toMatchObject({ status: 0 });
  });

  it('needs all selectors of a registration to hold', async () => {
    authority.workloads = [{ ...mine, selectors: [`unix:uid:${UID}`, 'unix:path:/nowhere'] }];
    await until(async () => (await call(session, 'FetchJWTSVID', asking(['a']))).status === 7);
    authority.workloads = [{ ...mine, selectors: [`unix:uid:${UID}`, `unix:path:${process.execPath}`] }];
    await until(async () => (await call(session, 'FetchJWTSVID', asking(['a']))).status === 0);
  });

  it('sends the whole state again when it changes, and ends the stream of who has lost all', async () => {
    const seen: number[] = [];
    const stream = begin(session, 'FetchJWTBundles', undefined, {}, (message) =>
      seen.push(readFields(message).length),
    );
    await until(async () => seen.length === 1);
    authority.workloads = [];
    expect((await stream.end).status).toBe(7);
    expect(seen).toEqual([1]);
  });

  it('renews an X.509-SVID at half its life, by a key of its own each time, and tells whoever watches', async () => {
    authority.lifetime = 2;
    const chains: string[] = [];
    const watching = begin(session, 'FetchX509SVID', undefined, {}, (message) =>
      chains.push(chainIn(message)),
    );
    await until(async () => chains.length === 3);
    expect(chains).toEqual(['chain 1', 'chain 2', 'chain 3']);
    expect(new Set(authority.requests).size).toBe(authority.requests.length);
    watching.cancel();
  });

  it('serves an X.509-SVID until its end while the authority is away, and then says so', async () => {
    authority.lifetime = 2;
    const chains: string[] = [];
    const watching = begin(session, 'FetchX509SVID', undefined, {}, (message) =>
      chains.push(chainIn(message)),
    );
    await until(async () => chains.length === 1);
    authority.mode = 'away';
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const still: string[] = [];
    begin(session, 'FetchX509SVID', undefined, {}, (message) => still.push(chainIn(message)));
    await until(async () => still.length === 1);
    expect(still).toEqual(['chain 1']);
    expect((await watching.end).status).toBe(14);
    expect(chains).toEqual(['chain 1']);
  });

  it('gives the bundle of the trust domain to whoever has an identity in it', async () => {
    const messages: Buffer[] = [];
    const watching = begin(session, 'FetchX509Bundles', undefined, {}, (message) => messages.push(message));
    await until(async () => messages.length === 1);
    watching.cancel();
    expect(String(messages[0])).toContain('spiffe://example.org');
    expect(String(messages[0])).toContain('root');
  });

  it('gives bundles of other trust domains apart from its own, and takes what they signed for their own names alone', async () => {
    const foreignKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...foreignKey.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' };
    const x509 = [Buffer.from('foreign root').toString('base64')];
    authority.foreign = { 'foreign.org': { jwt: { keys: [jwk] }, x509 } };
    await until(async () => (await bundleOf(session)).includes('spiffe://foreign.org'));
    const own: Buffer[] = [];
    const watching = begin(session, 'FetchX509SVID', undefined, {}, (message) => own.push(message));
    await until(async () => own.length > 0);
    watching.cancel();
    const federated = readFields(own[0] ?? Buffer.alloc(0)).filter(({ field }) => field === 3);
    expect(federated.map(textOf)).toEqual([expect.stringMatching(/spiffe:\/\/foreign\.org.*foreign root/s)]);
    const exp = Math.floor(Date.now() / 1000) + 60;
    const signed = (sub: string): string =>
      jwt({ sub, aud: ['a'], exp, team: 'x' }, 'k1', foreignKey.privateKey);
    const theirs = await call(session, 'ValidateJWTSVID', validating('a', signed('spiffe://foreign.org/x')));
    expect(theirs.status).toBe(0);
    // What it says beside the registered claims is not known to mean the same here.
    expect(String(theirs.messages[0])).not.toContain('team');
    expect((await call(session, 'ValidateJWTSVID', validating('a', signed(ORDERS)))).status).toBe(3);
    expect(
      (
        await call(
          session,
          'ValidateJWTSVID',
          validating('a', jwt({ sub: 'spiffe://foreign.org/x', aud: ['a'], exp })),
        )
      ).status,
    ).toBe(3);
  });

  it('gives revocation lists, and no others of another node that say the same', async () => {
    const list = (text: string): string => Buffer.from(text).toString('base64');
    authority.crl = { crl: [list('list of node 1')], crl_content: 'c1' };
    const seen: string[] = [];
    const watching = begin(session, 'FetchX509Bundles', undefined, {}, (message) =>
      seen.push(String(message)),
    );
    await until(async () => seen.at(-1)?.includes('list of node 1') === true);
    const before = seen.length;
    authority.crl = { crl: [list('list of node 2')], crl_content: 'c1' };
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(seen).toHaveLength(before);
    authority.crl = { crl: [list('list of node 2')], crl_content: 'c2' };
    await until(async () => seen.at(-1)?.includes('list of node 2') === true);
    watching.cancel();
  });

  it('keeps an X.509-SVID that is still good when it is refused another one', async () => {
    authority.lifetime = 2;
    const chains: string[] = [];
    const watching = begin(session, 'FetchX509SVID', undefined, {}, (message) =>
      chains.push(chainIn(message)),
    );
    await until(async () => chains.length === 1);
    authority.sparing = true;
    await new Promise((resolve) => setTimeout(resolve, 1300));
    const still: string[] = [];
    begin(session, 'FetchX509SVID', undefined, {}, (message) => still.push(chainIn(message)));
    await until(async () => still.length === 1);
    expect(still).toEqual(['chain 1']);
    expect((await watching.end).status).toBe(7);
  });

  it('gives out no JWT-SVID any more whose key has left the bundle', async () => {
    const before = await call(session, 'FetchJWTSVID', asking(['a']));
    authority.kid = 'k2';
    await until(async () => {
      const { messages } = await call(session, 'FetchJWTSVID', asking(['a']));
      return tokenIn(messages[0] as Buffer) !== tokenIn(before.messages[0] as Buffer);
    });
    authority.kid = 'k3';
    const kids = authority.jwtAsked;
    await until(async () => {
      await call(session, 'FetchJWTSVID', asking(['a']));
      return authority.jwtAsked > kids;
    });
    // Known and young, but of a key that is gone: not even while the authority is away.
    await call(session, 'FetchJWTSVID', asking(['a']));
    authority.kid = 'k4';
    await until(async () => (await bundleOf(session)).includes('k4'));
    authority.mode = 'away';
    expect((await call(session, 'FetchJWTSVID', asking(['a']))).status).toBe(14);
  });

  it('has an X.509-SVID made anew when the authority that signed it does not count any more, and tells whoever watches', async () => {
    authority.issuer = 'issuer a';
    const chains: string[] = [];
    const watching = begin(session, 'FetchX509SVID', undefined, {}, (message) =>
      chains.push(chainIn(message)),
    );
    await until(async () => chains.at(-1)?.endsWith('issuer a') === true);
    authority.issuer = 'issuer b';
    await until(async () => chains.at(-1)?.endsWith('issuer b') === true);
    watching.cancel();
  });

  it('withdraws everything when the authority refuses the agent', async () => {
    authority.mode = 'refusing';
    await until(async () => (await call(session, 'FetchJWTSVID', asking(['a']))).status === 7);
  });

  it('serves on what it has while the authority is away, until it expires', async () => {
    // Ends are whole seconds: it lives for three to four.
    authority.lifetime = 4;
    const first = await call(session, 'FetchJWTSVID', asking(['x']));
    authority.mode = 'away';
    await new Promise((resolve) => setTimeout(resolve, 2500));
    // Past half its life: it would have been made anew.
    const second = await call(session, 'FetchJWTSVID', asking(['x']));
    expect(second.messages).toEqual(first.messages);
    await until(async () => (await call(session, 'FetchJWTSVID', asking(['x']))).status === 14);
    expect((await call(session, 'FetchJWTSVID', asking(['never-made']))).status).toBe(14);
  });

  it('validates what was signed in the trust domain of its subject, and nothing else', async () => {
    const { messages } = await call(session, 'FetchJWTSVID', asking(['a']));
    const token = tokenIn(messages[0] as Buffer);
    expect((await call(session, 'ValidateJWTSVID', validating('a', token))).status).toBe(0);
    const exp = Math.floor(Date.now() / 1000) + 60;
    const refused: readonly (readonly [string, string])[] = [
      ['b', token],
      ['', token],
      ['a', ''],
      ['a', `${token.slice(0, -4)}AAAA`],
      ['a', jwt({ sub: 'spiffe://other.org/orders', aud: ['a'], exp })],
      ['a', jwt({ sub: ORDERS, aud: ['a'], exp: exp - 120 })],
      ['a', jwt({ sub: ORDERS, aud: ['a'], exp }, 'k2')],
      ['a', jwt({ sub: 'orders', aud: ['a'], exp })],
    ];
    for (const [audience, svid] of refused) {
      expect((await call(session, 'ValidateJWTSVID', validating(audience, svid))).status).toBe(3);
    }
  });

  it('says that it is starting while it has not heard of the authority', async () => {
    const silent = new Authority();
    silent.mode = 'away';
    const other = await startAgent({
      issuer: 'https://authority.example',
      client: { fetch: silent.fetch as never },
      socket: join(folder, 'silent'),
      everyMs: 20,
      now: () => Date.now(),
      random: () => 0.5,
      report: () => undefined,
    });
    const calling = openSession(join(folder, 'silent'));
    expect((await call(calling, 'FetchJWTSVID', asking(['a']))).status).toBe(14);
    const heard = other.heard(AbortSignal.timeout(8000));
    silent.mode = 'up';
    silent.workloads = [mine];
    await heard;
    expect((await call(calling, 'FetchJWTSVID', asking(['a']))).status).toBe(0);
    calling.close();
    await other.stop();
  });

  it('takes no socket on which another listens, and nothing that is no socket', async () => {
    const options = {
      issuer: 'https://authority.example',
      client: { fetch: authority.fetch as never },
      everyMs: 20,
      now: () => Date.now(),
      random: () => 0.5,
      report: () => undefined,
    };
    const socket = agent.endpoint.slice('unix://'.length);
    await expect(startAgent({ ...options, socket })).rejects.toThrow('Another process listens');
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(startAgent({ ...options, socket: file })).rejects.toThrow('is not a socket');
  });
});

/** Asks as another user, and prints the status. */
// It becomes that user by itself: Node may be where only root may go.
const OTHER_USER = `
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
process.setgroups([]);
process.setgid(65534);
process.setuid(65534);
const [socket, body] = process.argv.slice(2);
const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
const stream = session.request({ ':method': 'POST', ':path': '/SpiffeWorkloadAPI/FetchJWTSVID',
  'content-type': 'application/grpc', te: 'trailers', 'workload.spiffe.io': 'true' });
stream.on('response', (headers) => { console.log(headers['grpc-status']); session.close(); });
stream.end(Buffer.from(body, 'hex'));
`;

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 8000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
