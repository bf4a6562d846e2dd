import { TokenError } from '@countersign/client';
import { expect, it } from 'vitest';
import { AuthorityUnreachable } from './authority.ts';
import { httpAuthority } from './http-authority.ts';

it('says the flag that names the CA where the authority is not trusted, not what to write in code', async () => {
  const untrusted = new TokenError('untrusted_certificate', 'pass fetch: fetchTrusting(ca)');
  const authority = httpAuthority('https://authority.example', { fetch: () => Promise.reject(untrusted) });
  const failure = await authority.served(new AbortController().signal).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AuthorityUnreachable);
  expect((failure as Error).message).toContain('--ca-file');
  expect((failure as Error).message).not.toContain('fetchTrusting');
});
