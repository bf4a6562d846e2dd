// Tokens bound to a certificate, at an API: RFC 8705 §3.
import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { newHolder, proofFor } from '../../test/holder.ts';
import { AUDIENCE } from '../../test/tiny-issuer.ts';
import { verifierScene } from '../../test/verifier-scene.ts';
import type { VerifierOptions } from '../options.ts';
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope } from '../require-scope.ts';
import type { TokenRequest, VerifyResult } from '../token-request.ts';
import { type Verifier } from '../verifier.ts';

const clock = (): number => 1_800_000_000;
const OWN = Uint8Array.from([0x30, 0x03, 0x02, 0x01, 0x01]);
const OTHER = Uint8Array.from([0x30, 0x03, 0x02, 0x01, 0x02]);
const field = (der: Uint8Array): string => `:${Buffer.from(der).toString('base64')}:`;
const readPem = (pem: string): Uint8Array => new X509Certificate(pem).raw;
const REAL = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUb6C4nJxUNLNQwUP/WtDA0k66Zo4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAeFw0yNjExMjkwNzE5MjdaFw0zNjExMjYwNzE5Mjda
MA8xDTALBgNVBAMMBGxlYWYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATcffzp
UhqvvFvJPvlaN3nRJ6yUBIUG9UT4+3V5iyHc/M2A0KKiycHrtjbt69tHrMsI8qTY
LipGDc/A4uzedVYmo1MwUTAdBgNVHQ4EFgQUpVZmyHC8pd1imUDiV9J7uhD1Zusw
HwYDVR0jBBgwFoAUpVZmyHC8pd1imUDiV9J7uhD1ZuswDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiAx18PDlzn2tduS/FJFTNLMh/TVm3U0E3gGUOPU
qe2Q/wIhANqiSGVw8Ehq258To3HXY1KgoFD/7YEfu0B5cngXEobO
-----END CERTIFICATE-----`;
const thumbprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('base64url');

const scene = verifierScene();
let token: string;
let verifier: Verifier;
beforeEach(() => {
  token = scene.tiny.token({ cnf: { 'x5t#S256': thumbprint(OWN) } });
  verifier = verifierOf();
});

const verifierOf = (options?: Partial<VerifierOptions>): Verifier => scene.open(options);

const reasonOf = (result: VerifyResult): string => (result.ok ? 'ok' : result.reason);

describe('a token bound to a certificate', () => {
  it('is accepted from who shows it', async () => {
    expect(await verifier.verify(token, { certificate: OWN })).toMatchObject({ ok: true });
  });

  it.each<[string, TokenRequest | undefined]>([
    ['certificate_missing', undefined],
    ['certificate_missing', { certificate: undefined, scheme: 'Bearer' }],
    ['certificate_mismatch', { certificate: OTHER }],
    ['certificate_mismatch', { certificate: new Uint8Array(0) }],
    ['unbound_token_as_dpop', { certificate: OWN, scheme: 'DPoP', dpop: 'a.b.c' }],
  ])('is refused from everybody else: %s', async (reason, request) => {
    const result = await verifier.verify(token, request);
    expect(result).toMatchObject({ ok: false, status: 401, error: 'invalid_token', reason });
    expect(result.headers).toMatchObject({
      'WWW-Authenticate': expect.stringMatching(/^(?:Bearer|DPoP) error="invalid_token"/),
    });
  });

  it('and to a key is for who has both', async () => {
    const holder = newHolder();
    token = scene.tiny.token({ cnf: { jkt: holder.jkt, 'x5t#S256': thumbprint(OWN) } });
    const show = async (certificate: Uint8Array | undefined, proved: boolean): Promise<string> => {
      const url = `${AUDIENCE}/cases`;
      const dpop = proved ? proofFor(holder, { url, token, iat: clock() }) : undefined;
      return reasonOf(await verifier.verify(token, { certificate, dpop, url, method: 'GET' }));
    };
    expect(await show(OWN, true)).toBe('ok');
    expect(await show(undefined, true)).toBe('certificate_missing');
    expect(await show(OTHER, true)).toBe('certificate_mismatch');
    expect(await show(OWN, false)).toBe('bound_token_as_bearer');
  });
});

it('no other bytes, and nothing that is not bytes, stands for a certificate (property)', async () => {
  const near = fc
    .tuple(fc.nat(OWN.length - 1), fc.integer({ min: 1, max: 255 }))
    .map(([at, change]) => OWN.map((byte, i) => (i === at ? byte ^ change : byte)));
  const cut = fc.nat(OWN.length - 1).map((length) => OWN.subarray(0, length));
  const more = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((end) => Uint8Array.from([...OWN, ...end]));
  const other = fc.oneof(near, cut, more, fc.uint8Array({ maxLength: 8 }), fc.anything());
  await fc.assert(
    fc.asyncProperty(other, async (certificate) => {
      const isOwn = certificate instanceof Uint8Array && Buffer.compare(certificate, OWN) === 0;
      const result = await verifier.verify(token, { certificate: certificate as Uint8Array });
      expect(result.ok).toBe(isOwn);
    }),
    { numRuns: 300 },
  );
});

describe('where tokens must be bound', () => {
  it.each(['mtls', 'any'] as const)('%s takes those bound to a certificate', async (senderConstraint) => {
    const strict = verifierOf({ senderConstraint });
    expect(await strict.verify(token, { certificate: OWN })).toMatchObject({ ok: true });
    expect(await strict.verify(scene.tiny.token(), { certificate: OWN })).toMatchObject({
      reason: 'token_not_bound',
    });
    expect(await strict.verify(token)).toMatchObject({
      reason: 'certificate_missing',
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    });
  });

  it('neither mtls nor dpop takes the other', async () => {
    const bound = scene.tiny.token({ cnf: { jkt: newHolder().jkt } });
    const mtls = await verifierOf({ senderConstraint: 'mtls' }).verify(bound, { certificate: OWN });
    expect(reasonOf(mtls)).toBe('token_not_bound');
    const dpop = await verifierOf({ senderConstraint: 'dpop' }).verify(token, { certificate: OWN });
    expect(reasonOf(dpop)).toBe('token_not_bound');
  });

  it('mtls needs no public address, asks for bearer tokens, and says so in the metadata', () => {
    const strict = verifierOf({ senderConstraint: 'mtls', audience: 'urn:fraud' });
    expect(strict.refuse('no_token').headers).toMatchObject({ 'WWW-Authenticate': 'Bearer' });
    const published = verifierOf({ senderConstraint: 'mtls', metadata: {} }).metadata?.document;
    expect(published?.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(verifierOf({ metadata: {} }).metadata?.document).not.toHaveProperty(
      'tls_client_certificate_bound_access_tokens',
    );
  });
});

describe('a request', () => {
  let asked = 0;
  const connection = (raw: Uint8Array | undefined): object => ({
    getPeerX509Certificate: () => {
      asked++;
      return raw === undefined ? undefined : { raw };
    },
  });
  const request = (socket: object | undefined, shown: string, ...more: string[]): RequestHeaders => ({
    rawHeaders: ['Authorization', `Bearer ${shown}`, ...more],
    headers: {},
    socket,
  });
  beforeEach(() => {
    asked = 0;
  });
  const ask = async (made: RequestHeaders): Promise<string> =>
    reasonOf(await requireScope(verifier, made, 'fraud:read'));

  it('shows the certificate of its connection', async () => {
    expect(await ask(request(connection(OWN), token))).toBe('ok');
    expect(await ask(request(connection(OTHER), token))).toBe('certificate_mismatch');
    expect(await ask(request(connection(undefined), token))).toBe('certificate_missing');
    expect(await ask(request({}, token))).toBe('certificate_missing');
    expect(await ask(request(undefined, token))).toBe('certificate_missing');
  });

  it('shows no certificate by a header', async () => {
    expect(await ask(request({}, token, 'Client-Cert', field(OWN)))).toBe('certificate_missing');
  });

  it('with an unbound token costs the connection nothing', async () => {
    expect(await ask(request(connection(OWN), scene.tiny.token()))).toBe('ok');
    expect(asked).toBe(0);
  });
});

describe('behind a declared proxy', () => {
  const connection = (remoteAddress: string, raw?: Uint8Array): object => ({
    remoteAddress,
    getPeerX509Certificate: () => raw && { raw },
  });
  const ask = async (socket: object, bound: Uint8Array, ...headers: string[]): Promise<string> => {
    const shown = scene.tiny.token({ cnf: { 'x5t#S256': thumbprint(bound) } });
    const made = { rawHeaders: ['Authorization', `Bearer ${shown}`, ...headers], headers: {}, socket };
    return reasonOf(await requireScope(verifier, made, 'fraud:read'));
  };
  const real = readPem(REAL);
  beforeEach(() => {
    verifier = verifierOf({ certificateHeader: { dialect: 'rfc9440', proxies: ['10.0.0.0/8'] } });
  });

  it('its word counts, and nobody else’s', async () => {
    const header = ['Client-Cert', field(real)];
    expect(await ask(connection('10.1.1.1'), real, ...header)).toBe('ok');
    expect(await ask(connection('::ffff:10.1.1.1'), real, ...header)).toBe('ok');
    expect(await ask(connection('10.1.1.1'), OWN, ...header)).toBe('certificate_mismatch');
    expect(await ask(connection('10.1.1.1'), real)).toBe('certificate_missing');
    expect(await ask(connection('192.0.2.1'), real, ...header)).toBe('certificate_missing');
    expect(await ask({}, real, ...header)).toBe('certificate_missing');
  });

  it('its own certificate is not its caller’s', async () => {
    expect(await ask(connection('10.1.1.1', OWN), OWN)).toBe('certificate_missing');
    expect(await ask(connection('10.1.1.1', OWN), real, 'Client-Cert', field(real))).toBe(
      'certificate_missing',
    );
  });

  it('who comes directly shows its own, and says nothing in a header', async () => {
    expect(await ask(connection('192.0.2.1', OWN), OWN)).toBe('ok');
    expect(await ask(connection('192.0.2.1', OWN), OWN, 'X-SSL-Client-Cert', 'x')).toBe(
      'certificate_missing',
    );
  });

  it('another dialect, or the header twice, counts for nothing', async () => {
    const twice = ['Client-Cert', field(real), 'Client-Cert', field(real)];
    expect(await ask(connection('10.1.1.1'), real, ...twice)).toBe('certificate_missing');
    const other = ['X-SSL-Client-Cert', encodeURIComponent(REAL)];
    expect(await ask(connection('10.1.1.1'), real, ...other)).toBe('certificate_missing');
  });

  it.each<[string, unknown]>([
    ['certificateHeader.dialect', { dialect: 'apache', proxies: ['10.0.0.1'] }],
    ['certificateHeader.proxies', { dialect: 'nginx', proxies: [] }],
    ['certificateHeader.proxies', { dialect: 'nginx', proxies: ['0.0.0.0/0'] }],
    ['certificateHeader.proxies', { dialect: 'nginx' }],
  ])('a wrong option is named: %s', (option, certificateHeader) => {
    const attempt = (): Verifier => verifierOf({ certificateHeader } as Partial<VerifierOptions>);
    expect(attempt).toThrow(expect.objectContaining({ option }) as unknown as Error);
  });
});
