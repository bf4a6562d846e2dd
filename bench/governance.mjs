/**
 * What governance costs a token: an authority without it beside one in which as many policies as there may be are enforced,
 * everybody has an accountable person, a backup and a team, and a review is open on all access. The same load on both,
 * interleaved.
 */
import { administrator, isBuilt, startCountersign } from './countersign.mjs';
import { table } from './machine.mjs';
import { interleave, times } from './rounds.mjs';

const DAY = 86_400_000;
const MOST_POLICIES = 100;
const inDays = (days) => new Date(Date.now() + days * DAY).toISOString();

/** Rules that are looked at for each of the identities of `fill`, and that none of them breaks. */
const rulesFor = (resource) => [
  ['owner_required', { backup: true, team: true }],
  ['lifetime_ceiling', { token: '1h', credential: '400d', access: '90d' }],
  ['methods_allowed', { methods: ['client_secret'] }],
  ['credential_age', { max_age: '90d' }],
  ['binding_for_sensitive_scopes', { min_sensitivity: 2 }],
  ['no_cross_environment', { environments: { prod: [resource] } }],
  ['separation_of_duties', { pairs: [{ one: { scope: 'read' }, other: { scope: 'administer' } }] }],
  ['third_party_needs_network_and_end', { max_end: '90d' }],
  ['inactivity', { after: '30d' }],
  ['review_cadence', { every: '90d' }],
];

/** Owners in the directory, `MOST_POLICIES` enforced policies, an open review. */
async function govern(ready, { resource }) {
  const post = await administrator(ready);
  await post('/people/import', {
    rows: ['bench@bench.example', 'bench'].map((handle) => ({ handle, name: handle })),
  });
  await post('/teams', { name: 'benchers', members: ['bench@bench.example', 'bench'] });
  const rules = rulesFor(resource);
  for (let at = 0; at < MOST_POLICIES; at++) {
    const [rule, parameters] = rules[at % rules.length];
    await post('/policies', { name: `${rule} ${at}`, rule, parameters, mode: 'enforce' });
  }
  const review = await post('/reviews', { name: 'everything', reviewers: ['owner'], due_at: inDays(20) });
  await post(`/reviews/${review.id}/start`);
}

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number, clients: number,
 *   connections: number[], say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) return undefined;
  const common = { prefix: options.apart.server, clients: options.clients };
  const contestants = [];
  const parts = [];
  try {
    contestants.push(await startCountersign('without', common));
    contestants.push(await startCountersign('governed', { ...common, prepare: govern }));
    for (const connections of options.connections) {
      options.say(`${connections} connections`);
      const results = await interleave(contestants, { ...options, connections, prefix: options.apart.load });
      const rows = results.map((one) => [
        one.name,
        one.cpu.toFixed(1),
        one.p50.toFixed(2),
        one.p99.toFixed(2),
      ]);
      const [without, governed] = results;
      const { median, low, high } = times(without, governed);
      const ratio = `a governed token costs **${median.toFixed(3)}** of one without (rounds: ${low.toFixed(2)}–${high.toFixed(2)}); wanted: at most 1.03`;
      const head = ['authority', 'CPU µs per token', 'p50 ms', 'p99 ms'];
      parts.push(`**${connections} connections**\n\n${table(head, rows)}\n\n- ${ratio}`);
    }
  } finally {
    for (const one of contestants) await one.stop();
  }
  const method = `${options.rounds} interleaved rounds of ${options.seconds} s each, ${options.clients} clients in turn; medians; ${MOST_POLICIES} enforced policies, owners with backup and team, a review of all access; ${options.apart.note}`;
  return [`${method}.`, ...parts].join('\n\n');
}
