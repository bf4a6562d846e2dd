// A real MQTT broker and its clients for the tests. Not started here: each test wants a broker of its own.
import { provideDebianProgram } from './debian-program.mjs';

/** @type {import('./debian-program.mjs').DebianProgram[]} */
const PROGRAMS = [
  {
    name: 'Mosquitto',
    variable: 'COUNTERSIGN_TEST_MOSQUITTO',
    program: 'usr/sbin/mosquitto',
    packages: ['mosquitto', 'libmosquitto1', 'libcjson1', 'libdlt2', 'libwrap0'],
    probe: ['-h'],
    version: /mosquitto version (\S+)/,
    code: 3,
  },
  ...['pub', 'sub'].map((does) => ({
    name: `mosquitto_${does}`,
    variable: `COUNTERSIGN_TEST_MOSQUITTO_${does.toUpperCase()}`,
    program: `usr/bin/mosquitto_${does}`,
    packages: ['mosquitto-clients', 'libmosquitto1', 'libcjson1'],
    probe: ['--version'],
    version: /version (\d\S+)/,
    code: 1,
  })),
];

/** @param {string} root @returns {Promise<(import('../test-services.mjs').Found | import('../test-services.mjs').Missing)[]>} */
export function provideMosquitto(root) {
  return Promise.all(PROGRAMS.map((program) => provideDebianProgram(root, program)));
}
