import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import type { Allowed } from '../decision/decide.ts';
import { identityHeaders } from '../decision/identity.ts';
import { forwardedHeaders } from './forwarded-request.ts';

const admitted = { host: { name: 'a.example', authority: 'a.example' }, identity: [] } as unknown as Allowed;

it('the word about a certificate goes on of who was declared to have one, and of nobody else', () => {
  const rawHeaders = ['Client-Cert', ':AA==:', 'X-SSL-Client-Cert', 'x', 'X-Kept', '1'];
  const namesFrom = (remoteAddress: string): string[] => {
    const message = { rawHeaders, httpVersion: '1.1', method: 'GET', socket: { remoteAddress } };
    const namesCertificates = (address: string): boolean => address === '10.0.0.1';
    return forwardedHeaders(
      message as unknown as IncomingMessage,
      admitted,
      { kind: 'none' },
      {
        identity: identityHeaders(new Map()),
        credentials: [],
        namesCertificates,
      },
    ).filter((_, i) => i % 2 === 0);
  };
  expect(namesFrom('10.0.0.1')).toEqual(
    expect.arrayContaining(['Client-Cert', 'X-SSL-Client-Cert', 'X-Kept']),
  );
  expect(namesFrom('10.0.0.2').filter((name) => /cert/i.test(name))).toEqual([]);
  expect(namesFrom('10.0.0.2')).toContain('X-Kept');
});
