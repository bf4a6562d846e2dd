import { readFileSync } from 'node:fs';
import { LARGEST_CONFIG } from '@countersign/daemon';
import { describe, expect, it } from 'vitest';
import { readConfig } from './read-config.ts';

const GOOD = `issuer: https://authority.example
listen: {auth: '127.0.0.1:9180'}
resources:
  orders: {audience: 'https://orders.example'}
routes:
  - {path: /a, resource: orders, scope: read}
`;
const read = (text: string) => readConfig('/etc/gateway.yaml', text);

/** The message for the good file with one piece changed, without the file's name. */
function faultOf(from: string | RegExp, to: string): string {
  try {
    read(GOOD.replace(from, to));
  } catch (error) {
    return (error as Error).message.replace('/etc/gateway.yaml:', '');
  }
  return 'read';
}

describe('the file', () => {
  it('is read, with what it leaves out', () => {
    const config = read(GOOD);
    expect(config).toMatchObject({
      issuer: 'https://authority.example',
      cutoffs: { staleAfter: 10, onStale: 'refuse' },
      frontProxies: ['127.0.0.1', '::1'],
      passToken: false,
      logLevel: 'info',
      listen: { auth: { host: '127.0.0.1', port: 9180, tls: undefined } },
    });
    expect(config.routes).toMatchObject([
      { name: 'routes[0]', line: 6, requirement: { kind: 'token', resource: 'orders', scope: ['read'] } },
    ]);
  });

  it('of the guide is read', () => {
    const page = readFileSync(new URL('../../../../docs/guide/gateway.md', import.meta.url), 'utf8');
    const [, text = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
    expect(read(text).routes).toHaveLength(4);
    for (const [name, value] of Object.entries(read(GOOD).limits)) {
      expect(page, name).toContain(`| \`${name}\` | ${value} |`);
    }
  });

  it('that has other numbers of connections has the shares of one address in proportion', () => {
    expect(read(`${GOOD}limits: {handshakesPerAddress: 7, connections: 40}\n`).limits).toMatchObject({
      connections: 40,
      connectionsPerAddress: 10,
      handshakes: 20,
      handshakesPerAddress: 7,
    });
    expect(read(`${GOOD}limits: {connections: 1}\n`).limits).toMatchObject({
      connectionsPerAddress: 1,
      handshakes: 1,
      handshakesPerAddress: 1,
    });
  });

  it('of the page about the proxy is read', () => {
    const page = readFileSync(new URL('../../../../docs/guide/gateway-proxy.md', import.meta.url), 'utf8');
    const [, text = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
    expect(read(text)).toMatchObject({
      listen: {
        proxy: {
          host: '0.0.0.0',
          port: 8443,
          tls: { key: { path: '/etc/key.pem' }, askForCertificate: true },
        },
      },
      routes: [{ upstream: 'app' }, { upstream: 'app' }],
    });
  });

  it.each<[string, string | RegExp, string, string]>([
    ['an unknown member', /^/, 'isuer: x\n', '1:1: isuer: is not known here; there is issuer'],
    ['a member twice', /^/, 'issuer: x\n', '2:1: Map keys must be unique'],
    ['no YAML', '- {path', '- {{path', '7:1: Flow map'],
    ['an alias', "'https://orders.example'}", "&a 'https://orders.example', publicUrl: *a}", '4:'],
    ['a member that is missing', /issuer.*\n/, '', '1:1: issuer is missing'],
    ['an issuer that is none', 'https://authority.example', 'authority', '1:1: issuer: write the https URL'],
    ['a listener that is none', '127.0.0.1:9180', '9180', '2:10: listen.auth: write host:port'],
    [
      'a listener in the clear',
      '127.0.0.1:9180',
      '0.0.0.0:9180',
      '2:10: listen.auth: takes tokens in the clear',
    ],
    ['nothing to listen on', /listen: .*/, "listen: {operation: '127.0.0.1:1'}", '2:1: listen: name auth'],
    ['a path with a query', '/a,', "'/a?b',", '6:6: routes[0].path: a path has no query'],
    ['a path with a star', '/a,', "'/a/*',", '6:6: routes[0].path: write prefix: /a for all paths'],
    ['a path that no request can have', '/a,', '/a/../b,', '6:6: routes[0].path: no request can have'],
    ['half a variable', '/a,', "'/a{b}',", '6:6: routes[0].path: a variable is a whole segment'],
    ['both path and prefix', '/a,', '/a, prefix: /b,', '6:5: routes[0]: write either path or prefix'],
    ['a host with a port', '{path', "{host: 'a:1', path", '6:6: routes[0].host: write a host without port'],
    [
      'a method in small letters',
      '{path',
      '{methods: [get], path',
      '6:16: routes[0].methods[0]: write a method in',
    ],
    ['no method', '{path', '{methods: [], path', '6:6: routes[0].methods: is empty'],
    ['an unknown resource', 'resource: orders', 'resource: order', '6:16: routes[0].resource: is not among'],
    ['no scope', ', scope: read', '', '6:5: routes[0]: scope is missing'],
    ['an empty scope', 'scope: read', "scope: ''", '6:34: routes[0].scope: write a text'],
    ['a scope that is none', 'scope: read', "scope: 'a  b'", '6:34: routes[0].scope: is no scope'],
    [
      'no requirement',
      'resource: orders, scope: read',
      'name: x',
      '6:5: routes[0]: write resource and scope',
    ],
    ['public and a scope', 'resource: orders', 'public: true', '6:30: routes[0].scope: goes with resource'],
    [
      'public: false alone',
      'resource: orders, scope: read',
      'public: false',
      '6:5: routes[0]: write resource',
    ],
    [
      'a rule that never decides',
      /$/,
      '  - {path: /a, deny: true}\n',
      '7:5: routes[1]: never decides: routes[0] (line 6)',
    ],
    ['a front proxy that is none', /^/, 'frontProxies: [x]\n', '1:16: frontProxies[0]: x is not an address'],
    [
      'every address as front proxy',
      /^/,
      "frontProxies: ['0.0.0.0/0']\n",
      '1:16: frontProxies[0]: 0.0.0.0/0 declares',
    ],
    [
      'a limit out of bounds',
      /^/,
      'limits: {headerBytes: 1}\n',
      '1:10: limits.headerBytes: write a whole number',
    ],
    ['an unknown limit', /^/, 'limits: {headers: 1}\n', '1:10: limits.headers: is not known here'],
    ['an unknown claim', /^/, 'identityHeaders: {name: X-A}\n', '1:19: identityHeaders.name: is not known'],
    [
      'a header that means something else',
      /^/,
      'identityHeaders: {sub: Host}\n',
      '1:19: identityHeaders.sub: is a header',
    ],
    [
      'a header twice',
      /^/,
      'identityHeaders: {sub: A, jti: a}\n',
      '1:27: identityHeaders.jti: is the header of',
    ],
    ['cutoffs: true', /^/, 'cutoffs: true\n', '1:1: cutoffs: write false'],
    [
      'onStale: introspect',
      /^/,
      'cutoffs: {onStale: introspect}\n',
      '1:11: cutoffs.onStale: write one of refuse',
    ],
    ['usage without a client', /^/, 'usage: true\n', '1:1: usage: needs client'],
    ['opaque tokens without a client', /^/, 'opaqueTokens: true\n', '1:1: opaqueTokens: needs client'],
    [
      'a client that none is called',
      /^/,
      "client: {id: 'a b', secretFile: c}\n",
      '1:10: client.id: takes A-Z a-z',
    ],
    ['half a client', /^/, 'client: {id: a}\n', '1:1: client: write id and secretFile'],
    ['a resource with an odd name', '  orders: {', "  'a b': {", '4:3: resources.a b: is named by'],
    ['a proxy without upstreams', '{auth', '{proxy', '6:5: routes[0]: upstream is missing'],
    [
      'an unknown upstream',
      'scope: read',
      'scope: read, upstream: b',
      '6:47: routes[0].upstream: is not among',
    ],
    [
      'an upstream with a path',
      /^/,
      "upstreams: {a: 'http://a/b'}\n",
      '1:13: upstreams.a: write http://host:port',
    ],
    ['a text for a switch', /^/, 'passToken: yes\n', '1:1: passToken: write true or false'],
    ['a list at the top', /^[\s\S]*$/, '- a\n', '1:1: write members'],
    ['nothing', /^[\s\S]*$/, '', '1:1: write members'],
  ])('with %s is refused by its line', (_, from, to, message) => {
    const fault = faultOf(from, to);
    expect(fault.slice(0, message.length), fault).toBe(message);
  });

  it('that is too large is refused', () => {
    expect(faultOf(/$/, `#${'x'.repeat(LARGEST_CONFIG)}`)).toMatch(/^1:1: is larger/);
    const routes = Array.from({ length: 1001 }, (_, i) => `  - {path: /a${i}, deny: true}\n`).join('');
    expect(faultOf(/$/, routes)).toBe('5:1: routes: are more than 1000');
  });
});
