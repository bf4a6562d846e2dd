// Real proxies for the tests: the program given, the machine's own, or Debian's package unpacked beside. Not started here:
// each test writes a configuration of its own.
import { provideDebianProgram } from './debian-program.mjs';

/** @type {import('./debian-program.mjs').DebianProgram[]} */
const FRONT_PROXIES = [
  {
    name: 'nginx',
    variable: 'COUNTERSIGN_TEST_NGINX',
    program: 'usr/sbin/nginx',
    packages: ['nginx'],
    probe: ['-v'],
    version: /nginx\/(\S+)/,
  },
  {
    name: 'HAProxy',
    variable: 'COUNTERSIGN_TEST_HAPROXY',
    program: 'usr/sbin/haproxy',
    packages: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
    probe: ['-v'],
    version: /version (\d\S+)/,
  },
  {
    name: 'Caddy',
    variable: 'COUNTERSIGN_TEST_CADDY',
    program: 'usr/bin/caddy',
    packages: ['caddy'],
    probe: ['version'],
    version: /v?(\d+\.\d+\.\d+)/,
  },
];

/** @param {string} root @returns {Promise<(import('../test-services.mjs').Found | import('../test-services.mjs').Missing)[]>} */
export function provideFrontProxies(root) {
  return Promise.all(FRONT_PROXIES.map((proxy) => provideDebianProgram(root, proxy)));
}
