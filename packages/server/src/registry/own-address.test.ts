import { describe, expect, it } from 'vitest';
import { requireNotOwn } from './own-address.ts';
import { RegistryRefusal } from './refusal.ts';

const refused = (identifier: string, own = 'https://authority.test/v1'): boolean => {
  try {
    requireNotOwn(own, identifier);
    return false;
  } catch (error) {
    if (error instanceof RegistryRefusal && error.reason === 'built_in') return true;
    throw error;
  }
};

describe('an identifier of another resource server', () => {
  it.each([
    'https://authority.test/v1',
    'https://AUTHORITY.test/v1',
    'HTTPS://authority.test/v1',
    'http://authority.test/v1',
    'https://authority.test/v1/',
    'https://authority.test//v1',
    'https://authority.test/V1',
    'https://authority.test/x/../v1',
    'https://authority.test/%76%31',
    'https://authority.test/%2576%2531',
    'https://authority.test/x/%2e%2e/v1',
    'https://authority.test/%2Fv1',
    'https://authority.test./v1',
    'https://authority.test:443/v1',
    'https://authority.test:8443/v1',
    'https://user@authority.test/v1',
    'https://%61uthority.test/v1',
    // IDNA maps full-width letters and an ideographic full stop.
    'https://%EF%BD%81uthority.test/v1',
    'https://authority%E3%80%82test/v1',
    'https://authority.test/v1?x=y',
    'https://authority.test/v1/identities',
    'https://authority.test/oauth/token',
    'https://authority.test',
    'https://authority.test/',
    'https://authority.test/.well-known/oauth-authorization-server',
  ])('is not the authority in another spelling: %s', (identifier) => {
    expect(refused(identifier)).toBe(true);
  });

  it.each([
    'https://fraud.test/v1',
    'https://authority.test.example/v1',
    'https://xauthority.test/v1',
    'https://authority.test/orders',
    'https://authority.test/v10',
    'urn:example:authority.test/v1',
    'spiffe://authority.test/v1',
  ])('may be %s', (identifier) => {
    expect(refused(identifier)).toBe(false);
  });

  it('is judged below an issuer with a path by that path', () => {
    const own = 'https://host.test/auth/v1';
    expect(
      ['/auth', '/auth/v1/', '/AUTH/oauth'].map((path) => refused(`https://host.test${path}`, own)),
    ).toEqual([true, true, true]);
    expect(['/v1', '/auth/orders'].map((path) => refused(`https://host.test${path}`, own))).toEqual([
      false,
      false,
    ]);
  });

  it('on loopback is another server by its port, and the same one by its other names', () => {
    const own = 'https://localhost:8443/v1';
    expect(refused('https://127.0.0.1:8443/v1', own)).toBe(true);
    expect(refused('https://[::1]:8443/', own)).toBe(true);
    expect(refused('https://localhost:9443/v1', own)).toBe(false);
  });
});
