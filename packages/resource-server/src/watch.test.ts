// How long a stream may go on: as long as its token would be accepted, and no longer than a second beyond.
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSecret } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newHolder, proofFor } from '../test/holder.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import type { VerifierOptions } from './options.ts';
import type { Refusal } from './refusal.ts';
import type { TokenRequest } from './token-request.ts';
import { createVerifier } from './create-verifier.ts';
import { nodePlatform } from './platform/node.ts';
import { openVerifier, type Verifier } from './verifier.ts';
import type { Watched, WatchOptions } from './watch.ts';

const START = 1_800_000_000;
let now = START;
const clock = (): number => now;
let tiny: TinyIssuer;
const open: Verifier[] = [];
beforeEach(async () => {
  now = START;
  tiny = await startTinyIssuer(clock);
});
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close();
  await tiny.close();
});

function verifierOf(options: Partial<VerifierOptions> = {}): Verifier {
  const verifier = createVerifier({
    issuer: tiny.issuer,
    audience: AUDIENCE,
    clock,
    ...options,
  } as VerifierOptions);
  open.push(verifier);
  return verifier;
}

const READ: TokenRequest = { scope: 'fraud:read' };
async function watching(
  verifier: Verifier,
  token: string,
  options?: WatchOptions,
  request: TokenRequest = READ,
): Promise<Watched> {
  const watched = await verifier.watch(token, request, options);
  if (!watched.ok) throw new Error(watched.reason);
  return watched;
}

/** Why it ended; waits for it. */
async function endOf({ signal }: Watched): Promise<string> {
  const deadline = performance.now() + 3000;
  while (!signal.aborted && performance.now() < deadline) await sleep(20);
  return signal.aborted ? (signal.reason as Refusal).reason : 'goes on';
}

/** Whether it has not ended after having been looked at. */
async function goesOn({ signal }: Watched): Promise<boolean> {
  await sleep(700);
  return !signal.aborted;
}

describe('a stream ends', () => {
  it('when its token expires, and not before', async () => {
    const watched = await watching(verifierOf({ cutoffs: false }), tiny.token());
    now += 604;
    expect(await goesOn(watched)).toBe(true);
    now += 1;
    expect(await endOf(watched)).toBe('expired');
    expect(watched.signal.reason).toMatchObject({ status: 401, error: 'invalid_token' });
  });

  it.each([
    ['the token', { kind: 'token', id: 'jti-1' }],
    ['its credential', { kind: 'credential', id: 'crd_1' }],
    ['its identity', { kind: 'identity', id: 'payments' }],
    ['the key that signed it', { kind: 'key', id: 'k1' }],
  ] as const)('within a second of %s being cut off', async (_, entry) => {
    const watched = await watching(verifierOf(), tiny.token());
    expect(await goesOn(watched)).toBe(true);
    tiny.cut({ ...entry, not_before: now });
    expect(await endOf(watched)).toBe('cut_off');
  });

  it('with the page of the feed that says so, without waiting for the next look', async () => {
    const never = vi.spyOn(globalThis, 'setInterval').mockReturnValue(undefined as never);
    const watched = await watching(verifierOf(), tiny.token());
    never.mockRestore();
    tiny.cut({ kind: 'identity', id: 'payments', not_before: now });
    expect(await endOf(watched)).toBe('cut_off');
  });

  it('when cut-offs can no longer be followed, as the option says', async () => {
    const strict = await watching(verifierOf(), tiny.token());
    const lenient = await watching(
      verifierOf({ cutoffs: { onStale: { acceptYoungerThan: 60 } } }),
      tiny.token(),
    );
    tiny.intercept = (_, response) => {
      response.destroy();
      return true;
    };
    now += 11;
    expect(await endOf(strict)).toBe('cutoffs_stale');
    expect(strict.signal.reason).toMatchObject({ status: 503 });
    expect(await goesOn(lenient)).toBe(true);
  });

  it('when the authority no longer publishes the key', async () => {
    const watched = await watching(verifierOf({ cutoffs: false }), tiny.token());
    tiny.addKey('k2');
    tiny.jwks = { keys: tiny.jwks.keys.slice(1) };
    now += 301;
    expect(await endOf(watched)).toBe('unknown_key');
  });

  it('when the authority takes the scope of an opaque token away', async () => {
    let scope = 'fraud:read fraud:list';
    const introspect = async (): Promise<{ active: boolean }> => {
      const who = { iss: tiny.issuer, aud: AUDIENCE, sub: 'p', client_id: 'p', jti: 'j' };
      return { active: true, ...who, scope, iat: START, exp: START + 600 } as { active: boolean };
    };
    const watched = await watching(verifierOf({ cutoffs: false, introspect: { introspect } }), 'cot_x');
    scope = 'fraud:list';
    now += 59;
    expect(await goesOn(watched)).toBe(true);
    now += 1;
    expect(await endOf(watched)).toBe('insufficient_scope');
    expect(watched.signal.reason).toMatchObject({ status: 403 });
  });

  it('at its end also while an authority that is asked says nothing', async () => {
    let silent = false;
    const introspect = (): Promise<{ active: boolean }> => {
      if (silent) return new Promise(() => undefined);
      const who = { iss: tiny.issuer, aud: AUDIENCE, sub: 'p', client_id: 'p', jti: 'j' };
      const times = { iat: START, exp: START + 600 };
      return Promise.resolve({ active: true, ...who, scope: 'fraud:read', ...times });
    };
    const watched = await watching(verifierOf({ cutoffs: false, introspect: { introspect } }), 'cot_x');
    silent = true;
    now += 61;
    expect(await goesOn(watched)).toBe(true);
    now += 544;
    expect(await endOf(watched)).toBe('expired');
  });

  it('by an order also while an authority that is asked says nothing', async () => {
    let silent = false;
    const introspect = (): Promise<{ active: boolean }> => {
      if (silent) return new Promise(() => undefined);
      const who = { iss: tiny.issuer, aud: AUDIENCE, sub: 'p', client_id: 'p', jti: 'j' };
      const times = { iat: START, exp: START + 600 };
      return Promise.resolve({ active: true, ...who, scope: 'fraud:read', ...times });
    };
    const verifier = verifierOf({ introspect: { introspect } });
    await verifier.ready();
    const watched = await watching(verifier, 'cot_x');
    silent = true;
    now += 61;
    await sleep(700);
    tiny.cut({ kind: 'identity', id: 'p', not_before: now });
    expect(await endOf(watched)).toBe('cut_off');
  });

  it('when its API key is refused; until then it goes on beyond the token of the key', async () => {
    const { secret } = generateSecret('cak', (size) => crypto.getRandomValues(new Uint8Array(size)));
    let revoked = false;
    tiny.intercept = (request, response) => {
      if (request.url !== '/oauth/token') return false;
      const body = { access_token: tiny.token(), token_type: 'Bearer', expires_in: 600 };
      response.writeHead(revoked ? 401 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(revoked ? { error: 'invalid_client' } : body));
      return true;
    };
    const onRenew = vi.fn<() => void>();
    const watched = await watching(verifierOf({ cutoffs: false, apiKeys: true }), secret, { onRenew });
    now += 700;
    expect(await goesOn(watched)).toBe(true);
    revoked = true;
    now += 61;
    expect(await endOf(watched)).toBe('api_key_refused');
    expect(onRenew).not.toHaveBeenCalled();
  });

  it('when the verifier is closed', async () => {
    const verifier = verifierOf({ cutoffs: false });
    const watched = await watching(verifier, tiny.token());
    await verifier.close();
    expect(watched.signal.reason).toMatchObject({ reason: 'closed', status: 503 });
  });
});

it('a token that is not accepted begins no stream', async () => {
  expect(await verifierOf().watch(tiny.token({ scope: 'fraud:list' }), READ)).toMatchObject({
    ok: false,
    reason: 'insufficient_scope',
  });
  expect(await verifierOf().watch(undefined)).toMatchObject({ ok: false, reason: 'no_token' });
});

it('a stream ends when nobody can tell any more whether it may go on', async () => {
  let broken = false;
  const verifier = verifierOf({
    cutoffs: false,
    clock: () => {
      if (broken) throw new Error('no time');
      return now;
    },
  });
  const watched = await watching(verifier, tiny.token());
  broken = true;
  expect(await endOf(watched)).toBe('closed');
  broken = false;
});

it('a stream goes on when what it was to call before its end throws', async () => {
  const watched = await watching(verifierOf({ cutoffs: false }), tiny.token(), {
    onRenew: () => {
      throw new Error('broken');
    },
  });
  now += 590;
  expect(await goesOn(watched)).toBe(true);
  now += 20;
  expect(await endOf(watched)).toBe('expired');
});

it('a stream that was stopped while it was looked at is not ended any more', async () => {
  let answer: (() => void) | undefined;
  const introspect = (): Promise<{ active: boolean }> => {
    const who = { iss: tiny.issuer, aud: AUDIENCE, sub: 'p', client_id: 'p', jti: 'j' };
    if (now === START)
      return Promise.resolve({ active: true, ...who, scope: 'fraud:read', iat: START, exp: START + 600 });
    return new Promise((resolve) => (answer = () => resolve({ active: false })));
  };
  const watched = await watching(verifierOf({ cutoffs: false, introspect: { introspect } }), 'cot_x');
  now += 61;
  await vi.waitFor(() => expect(answer).toBeDefined());
  watched.stop();
  answer?.();
  expect(await goesOn(watched)).toBe(true);
});

it('a stream that was stopped is no longer looked at', async () => {
  const watched = await watching(verifierOf({ cutoffs: false }), tiny.token());
  watched.stop();
  now += 10_000;
  expect(await goesOn(watched)).toBe(true);
});

describe('another token', () => {
  it('is asked for once, in time, and carries the stream on', async () => {
    const onRenew = vi.fn<() => void>();
    const watched = await watching(verifierOf({ cutoffs: false }), tiny.token(), {
      onRenew,
      renewBefore: 60,
    });
    now += 539;
    expect(await goesOn(watched)).toBe(true);
    expect(onRenew).not.toHaveBeenCalled();
    now += 1;
    expect(await goesOn(watched)).toBe(true);
    expect(onRenew).toHaveBeenCalledTimes(1);
    expect(await watched.renew(tiny.token({ jti: 'jti-2' }))).toMatchObject({ ok: true });
    expect(watched.claims.jti).toBe('jti-2');
    now += 500;
    expect(await goesOn(watched)).toBe(true);
    now += 45;
    expect(await goesOn(watched)).toBe(true);
    expect(onRenew).toHaveBeenCalledTimes(2);
    now += 60;
    expect(await endOf(watched)).toBe('expired');
    expect(await watched.renew(tiny.token({ jti: 'jti-3' }))).toMatchObject({ ok: false, reason: 'expired' });
  });

  it.each<[string, object, string]>([
    ['of another client', { client_id: 'ledger', sub: 'ledger' }, 'renewed_by_another'],
    ['for another subject', { sub: 'somebody' }, 'renewed_by_another'],
    ['without the scope the stream began with', { scope: 'fraud:list' }, 'insufficient_scope'],
    ['that has expired', { exp: START - 60 }, 'expired'],
  ])('%s is refused, and the one before holds', async (_, change, reason) => {
    const watched = await watching(verifierOf({ cutoffs: false }), tiny.token());
    expect(await watched.renew(tiny.token(change))).toMatchObject({ ok: false, reason });
    expect(watched.claims.client_id).toBe('payments');
    expect(await goesOn(watched)).toBe(true);
  });

  it('that is bound to a key needs a proof of its own', async () => {
    const holder = newHolder();
    const bound = (jti: string): string => tiny.token({ jti, cnf: { jkt: holder.jkt } });
    const url = `${AUDIENCE}/events`;
    const shown = (token: string): TokenRequest => ({
      scheme: 'DPoP',
      method: 'GET',
      url,
      dpop: proofFor(holder, { url, token, iat: now }),
    });
    const first = bound('1');
    const watched = await watching(verifierOf({ cutoffs: false }), first, {}, { ...READ, ...shown(first) });
    const second = bound('2');
    expect(await watched.renew(second)).toMatchObject({ ok: false, reason: 'bound_token_as_bearer' });
    expect(await watched.renew(second, shown(second))).toMatchObject({ ok: true });
    expect(await goesOn(watched)).toBe(true);
  });
});

it('of 10,000 streams no signature is verified again, and all of them end with their tokens', async () => {
  let verified = 0;
  const verifier = openVerifier(
    { issuer: tiny.issuer, audience: AUDIENCE, clock, cutoffs: false },
    {
      ...nodePlatform,
      verify: (...args) => {
        verified++;
        return nodePlatform.verify(...args);
      },
    },
  );
  open.push(verifier);
  await verifier.ready();
  const some = Array.from({ length: 50 }, (_, at) => tiny.token({ jti: `jti-${at}` }));
  const all = await Promise.all(
    Array.from({ length: 10_000 }, (_, at) => watching(verifier, some[at % some.length] as string)),
  );
  // A look finds its token by itself once; from then on it is only asked what may have changed.
  await sleep(1500);
  const before = verified;
  await sleep(1500);
  expect(verified).toBe(before);
  expect(all.filter(({ signal }) => signal.aborted)).toEqual([]);
  now += 606;
  await sleep(1500);
  expect(all.filter(({ signal }) => !signal.aborted)).toEqual([]);
});
