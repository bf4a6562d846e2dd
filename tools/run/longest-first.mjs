// Which test files begin first. vitest begins with the largest, where it has not seen them run: one that takes a minute and is
// small began last on a fresh checkout, and everybody waited for it.
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import { ROOT } from '../source/report.mjs';

/** Those that take longest, mostly in waiting: for other programs, and for what ends by itself. */
export const LONGEST = [
  'packages/coap/src/coap-renewal.test.ts',
  'packages/coap/src/coap-clients.test.ts',
  'packages/cli/src/against-an-authority.test.ts',
  'packages/server/src/estate-over-time.test.ts',
  'packages/server/src/main.test.ts',
  'packages/server/src/database/postgres.test.ts',
  'packages/resource-server/src/watch.test.ts',
  'packages/opcua/src/client/connect.test.ts',
  'packages/server/src/database/sqlite.test.ts',
  'packages/server/src/database/sqlite-used-once.test.ts',
  'tools/docs/mqtt-guide.test.ts',
  'tools/build/commands.test.ts',
  'conformance/console-estate.test.ts',
  'conformance/spiffe/killed-authority.test.ts',
  'conformance/validators/spring-security.test.ts',
  'conformance/clients/spring-security.test.ts',
  'conformance/clients/certificates.test.ts',
  'conformance/spiffe/federated-workload.test.ts',
  'conformance/notices.test.ts',
  'conformance/devices.test.ts',
];

/** @typedef {import('vitest/node').TestSpecification} TestSpecification */

export default class LongestFirst extends BaseSequencer {
  /** @override @param {TestSpecification[]} files @returns {Promise<TestSpecification[]>} */
  async sort(files) {
    const sorted = await super.sort(files);
    const projects = new Set(sorted.map(({ project }) => project));
    return [...projects].flatMap((project) => begun(sorted.filter((file) => file.project === project)));
  }
}

/** @param {TestSpecification[]} files of one project @returns {TestSpecification[]} */
function begun(files) {
  const isLongest = (/** @type {TestSpecification} */ { moduleId }) =>
    LONGEST.includes(relative(ROOT, moduleId).replaceAll('\\', '/'));
  return [...files.filter(isLongest), ...files.filter((file) => !isLongest(file))];
}
