// Clients that show a certificate: RFC 8705 §2, §3, §5.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openssl, type Pair, pair } from '../../test/certificate-pair.ts';
import { type Client, createClient } from '../client.ts';
import { ClientOptionError } from '../errors.ts';
import type { ClientOptions } from '../options.ts';

describe.skipIf(!openssl)(
  openssl ? 'a client with a certificate' : 'a client with a certificate (absent: openssl, to make one)',
  () => {
    interface Call {
      readonly at: string;
      readonly form: URLSearchParams;
      readonly authorization: string | undefined;
      readonly subject: string | undefined;
    }
    let own: Pair;
    let shown: Pair;
    let other: Pair;
    const servers: Server[] = [];
    let issuer: string;
    let mtls: string;
    let calls: Call[];
    let metadata: Record<string, unknown>;

    async function serve(name: string, asking: boolean): Promise<string> {
      const settings = { ...own, requestCert: asking, rejectUnauthorized: false };
      const server = createServer(settings, (request, response) => {
        void (async () => {
          let body = '';
          for await (const chunk of request) body += String(chunk);
          if (request.url?.startsWith('/.well-known/') === true) {
            response.end(JSON.stringify(metadata));
            return;
          }
          const { subject } = (request.socket as TLSSocket).getPeerX509Certificate() ?? {};
          const { authorization } = request.headers;
          calls.push({
            at: `${name}${request.url}`,
            form: new URLSearchParams(body),
            authorization,
            subject,
          });
          const token = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 600 };
          response.setHeader('content-type', 'application/json').end(JSON.stringify(token));
        })();
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `https://localhost:${(server.address() as AddressInfo).port}`;
    }

    beforeAll(async () => {
      [own, shown, other] = [pair('localhost'), pair('payments'), pair('other')];
      issuer = await serve('issuer', false);
      mtls = await serve('mtls', true);
    });
    beforeEach(() => {
      calls = [];
      metadata = {
        issuer,
        token_endpoint: `${issuer}/token`,
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'self_signed_tls_client_auth'],
        mtls_endpoint_aliases: { token_endpoint: `${mtls}/token` },
      };
    });
    afterAll(() => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    });

    const clientOf = (options: Partial<ClientOptions> = {}): Client =>
      createClient({ issuer, clientId: 'payments', certificate: { ...shown, ca: own.cert }, ...options });

    it('proves itself by it and its client_id alone, where the authority asks for certificates', async () => {
      const client = clientOf();
      expect(await client.token()).toMatchObject({ accessToken: 'a.b.c', tokenType: 'Bearer' });
      expect(calls).toMatchObject([{ at: 'mtls/token', authorization: undefined, subject: 'CN=payments' }]);
      expect(Object.fromEntries(calls[0]?.form ?? [])).toEqual({
        grant_type: 'client_credentials',
        client_id: 'payments',
      });
      await client.close();
    });

    it.each(['tls_client_auth', 'self_signed_tls_client_auth'])(
      'does so where %s is offered',
      async (method) => {
        metadata['token_endpoint_auth_methods_supported'] = [method];
        await clientOf().token();
        expect(calls).toHaveLength(1);
      },
    );

    it('is not made to where neither is, nor does it show itself there', async () => {
      metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic'];
      await expect(clientOf().token()).rejects.toMatchObject({ code: 'discovery_failed' });
      expect(calls).toEqual([]);
    });

    it('asks at the token endpoint where there is no other', async () => {
      metadata['mtls_endpoint_aliases'] = undefined;
      await clientOf().token();
      expect(calls).toMatchObject([{ at: 'issuer/token', subject: undefined }]);
    });

    it.each([['http://evil.test/token'], ['token'], [7]])(
      'trusts no alias that is not https: %s',
      async (alias) => {
        metadata['mtls_endpoint_aliases'] = { token_endpoint: alias };
        await expect(clientOf().token()).rejects.toMatchObject({ code: 'discovery_failed' });
        expect(calls).toEqual([]);
      },
    );

    it('proves itself by its secret and shows the certificate to bind the token, where it has both', async () => {
      await clientOf({ clientSecret: 'csk_x' }).token();
      expect(calls).toMatchObject([
        { at: 'mtls/token', authorization: expect.stringMatching(/^Basic /), subject: 'CN=payments' },
      ]);
    });

    it('shows it to the APIs it calls', async () => {
      const client = clientOf();
      const response = await client.fetch(`${mtls}/cases`);
      expect(response.status).toBe(200);
      expect(calls[1]).toMatchObject({
        at: 'mtls/cases',
        authorization: 'Bearer a.b.c',
        subject: 'CN=payments',
      });
    });

    it.each<[string, () => Partial<ClientOptions>]>([
      ['without its key', () => ({ certificate: { cert: shown.cert, key: '' } })],
      ['with the key of another', () => ({ certificate: { cert: shown.cert, key: other.key } })],
      ['with file names', () => ({ certificate: { cert: 'cert.pem', key: 'key.pem' } })],
      ['and a fetch', () => ({ fetch: globalThis.fetch })],
    ])('is not made %s, and the key is not repeated', (_, options) => {
      const attempt = (): Client => clientOf(options());
      expect(attempt).toThrow(ClientOptionError);
      expect(attempt).toThrow(/^certificate: /);
      expect(attempt).not.toThrow(/BEGIN/);
    });
  },
);
