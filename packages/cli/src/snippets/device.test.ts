// The printed request of a device is run, and read again: RFC 9200 §5.8.1.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACE, decodeStrict } from '@countersign/cose';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/fake-host.ts';
import type { Call } from './call.ts';
import { languagesFor, snippetsOf } from './snippets.ts';

const CALL: Call = {
  issuer: 'https://authority.example',
  tokenEndpoint: 'https://authority.example/oauth/token',
  clientId: 'lamp',
  proof: { by: 'secret', file: 'lamp.secret' },
  resource: "coaps://lock.example/it's%5",
  scope: 'lock:read lock:open',
  caFile: 'ca.pem',
  url: 'https://api.example/',
  isDevice: true,
};

it.each(['sh', 'bash'])('%s writes the request that is meant', (program) => {
  const cwd = temporaryFolder();
  const [curl] = snippetsOf(CALL, ['curl']);
  execFileSync(program, ['-c', curl?.code.split('\n')[0] as string], { cwd });
  const read = decodeStrict(new Uint8Array(readFileSync(join(cwd, 'request.cbor'))));
  expect(read.ok && read.value).toEqual(
    new Map([
      [ACE.audience, CALL.resource],
      [ACE.scope, CALL.scope],
    ]),
  );
  expect(curl?.code).toContain('application/ace+cbor');
  expect(curl?.code).not.toContain('grant_type');
});

it('by certificate its name is in the request', () => {
  const proof = { by: 'certificate', certificate: 'lamp.crt', key: 'lamp.key' } as const;
  const [curl] = snippetsOf({ ...CALL, proof }, ['curl']);
  expect(curl?.code).toContain('--cert lamp.crt --key lamp.key');
  expect(curl?.code).toContain('lamp');
});

it('is printed in the languages that there are for it', () => {
  expect(languagesFor('secret', true)).toEqual(['curl', 'typescript']);
  expect(languagesFor('certificate', true)).toEqual(['curl']);
  expect(languagesFor('key', true)).toEqual([]);
  expect(languagesFor('subject_token', true)).toEqual([]);
  const [script] = snippetsOf(CALL, ['typescript']);
  expect(script?.code).toContain('coap-client-openssl');
  expect(script?.code).toContain('application/ace+cbor');
});
