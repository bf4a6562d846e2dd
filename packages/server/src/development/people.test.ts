import { expect, test } from 'vitest';
import type { HttpRequest } from '../http/request.ts';
import type { HttpResponse } from '../http/response.ts';
import { developmentPeople } from './people.ts';

const issuer = 'https://localhost:8443';
const { routes } = developmentPeople({
  issuer,
  clock: { now: () => 0 },
  random: (length) => Buffer.alloc(length),
});

async function page(redirectUri: string): Promise<HttpResponse> {
  const route = routes.find(({ method, path }) => method === 'GET' && path.endsWith('/authorize'));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'countersign',
    redirect_uri: redirectUri,
    scope: 'openid',
    state: 's'.repeat(43),
    nonce: 'n'.repeat(43),
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
  });
  return (await route?.endpoint({ query: query.toString() } as HttpRequest, {})) as HttpResponse;
}

const formAction = ({ headers }: HttpResponse): string | undefined =>
  /form-action ([^;]+)/.exec(headers?.['content-security-policy'] ?? '')?.[1];

test('the form of the command goes to the one port that it listens on, and to no other', async () => {
  const answer = await page('http://127.0.0.1:49152/callback');
  expect([answer.status, formAction(answer)]).toEqual([200, "'self' http://127.0.0.1:49152"]);
});

test('the form of the console goes nowhere but to its own origin', async () => {
  const answer = await page(`${issuer}/console/callback`);
  expect([answer.status, formAction(answer)]).toEqual([200, "'self'"]);
});

test.each(['http://[::1]:49152/callback', 'http://127.0.0.1:99999/callback', 'http://127.0.0.1/callback'])(
  'nobody is sent to %s',
  async (uri) => {
    const answer = await page(uri);
    expect([answer.status, formAction(answer)]).toEqual([400, "'none'"]);
  },
);
