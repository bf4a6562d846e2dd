import type { AdminClient, CutoffDrill, CutoffReport } from '@countersign/admin-api';
import type { AdminConnection } from '../connection/admin.ts';
import { findApi } from '../connect/find-api.ts';
import { CommandFailure } from '../failure.ts';

export interface DrillPlan {
  readonly apis: readonly {
    readonly identifier: string;
    readonly scope: string;
    readonly connected: number;
  }[];
}

export interface DrillSettings {
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly giveUpAfterMs: number;
  /** Says how far it is. */
  readonly tell: (text: string) => void;
}

/** How long the machine would live at most, should nobody be able to end it. */
const LIFE_MS = 3_600_000;
const LOOK_AT_TOKEN_EVERY_MS = 20;
const LOOK_AT_RECEIPTS_EVERY_MS = 250;
const REASON = 'cut-off drill';

/** Which APIs take part: those named, or all of which a verifier is connected now. */
export async function planDrill(
  { client }: AdminConnection,
  named: readonly string[] | undefined,
): Promise<DrillPlan> {
  // The dry run of an order about no token at all names every API, with its verifiers.
  const body = { kind: 'token', id: 'no-such-token', reason: REASON } as const;
  const { outlook } = await client.preview('cutoffs.create', { body });
  const connected = new Map(
    (outlook?.resource_servers ?? [])
      .filter(({ obeys }) => obeys !== 'at_once')
      .map((each) => [each.identifier, each.connected]),
  );
  const wanted = named ?? [...connected].filter(([, count]) => count > 0).map(([identifier]) => identifier);
  if (wanted.length === 0) {
    throw new CommandFailure('failure', 'No verifier is connected to the cut-off feed.', {
      fix: 'Start an API that uses @countersign/resource-server, or name one: --to API',
    });
  }
  const apis = [];
  for (const name of wanted) {
    const { identifier, scopes } = await findApi(client, name);
    const [least] = [...scopes].sort((a, b) => a.sensitivity - b.sensitivity);
    if (least === undefined) throw new CommandFailure('failure', `${identifier} has no scopes.`);
    apis.push({ identifier, scope: least.name, connected: connected.get(identifier) ?? 0 });
  }
  return { apis };
}

/** Makes the machine, gets its tokens, cuts it off, measures, records, and ends the machine whatever happens. */
export async function runDrill(
  admin: AdminConnection,
  plan: DrillPlan,
  settings: DrillSettings,
): Promise<CutoffDrill> {
  const { client } = admin;
  const machine = await makeMachine(client, plan, settings);
  settings.tell(`Made ${machine.clientId} with access to ${plan.apis.length} API(s).`);
  try {
    const watch = await openWatch(admin, plan, machine, settings);
    try {
      const begin = performance.now();
      const order = await client.call('cutoffs.create', {
        body: { kind: 'identity', id: machine.clientId, reason: REASON },
      });
      settings.tell(`Cut it off: ${order.body.id}.`);
      const [refused, stopped] = await Promise.all([
        watch.untilRefused(begin),
        watch.untilNoTokens(begin),
        untilConfirmed(client, order.body.id, settings),
      ]);
      const measured = { refused_ms: refused, issuance_stopped_ms: stopped };
      return (await client.call('cutoffs.drill', { params: { id: order.body.id }, body: measured })).body;
    } finally {
      await watch.close();
    }
  } finally {
    await client.call('identities.decommission', {
      params: { id: machine.clientId },
      body: { reason: REASON, now: true, force: true },
    });
    settings.tell(`Ended ${machine.clientId}.`);
  }
}

interface Machine {
  readonly clientId: string;
  readonly secret: string;
}

async function makeMachine(client: AdminClient, plan: DrillPlan, settings: DrillSettings): Promise<Machine> {
  const clientId = `drill-${globalThis.crypto.randomUUID().slice(0, 13)}`;
  const expires_at = new Date(settings.now() + LIFE_MS).toISOString();
  await client.call('identities.create', {
    body: {
      name: clientId,
      client_id: clientId,
      kind: 'job',
      environment: 'test',
      purpose: 'Is cut off to see how long that takes',
      owner: { person: settings.owner },
      expires_at,
    },
  });
  try {
    for (const { identifier, scope } of plan.apis) {
      await client.call('access.create', {
        body: {
          identity: clientId,
          resource_server: identifier,
          scopes: [scope],
          justification: REASON,
          expires_at,
        },
      });
    }
    const { body } = await client.call('credentials.create', {
      params: { id: clientId },
      body: { type: 'client_secret' },
    });
    return { clientId, secret: (body as { secret: string }).secret };
  } catch (error) {
    await client.call('identities.decommission', {
      params: { id: clientId },
      body: { reason: REASON, now: true, force: true },
    });
    throw error;
  }
}

interface Watch {
  /** Milliseconds since `begin` (of performance.now) until every token is refused; null when one never was. */
  untilRefused(begin: number): Promise<number | null>;
  /** The same until the authority gives no token any more. */
  untilNoTokens(begin: number): Promise<number | null>;
  close(): Promise<void>;
}

/** A token for each API, and a verifier that takes it now: as the API's own would, with the same library. */
async function openWatch(
  admin: AdminConnection,
  plan: DrillPlan,
  machine: Machine,
  { giveUpAfterMs }: DrillSettings,
): Promise<Watch> {
  const [{ createClient }, { createVerifier }] = await Promise.all([
    import('@countersign/client'),
    import('@countersign/resource-server'),
  ]);
  const { issuer } = admin.authority;
  const tokenFor = async (resource: string): Promise<string> => {
    const own = { clientId: machine.clientId, clientSecret: machine.secret };
    const client = createClient({ issuer, ...own, resource, fetch: admin.fetch });
    try {
      return (await client.token()).accessToken;
    } finally {
      await client.close();
    }
  };
  const watched = await Promise.all(
    plan.apis.map(async ({ identifier }) => ({
      token: await tokenFor(identifier),
      verifier: createVerifier({
        issuer,
        audience: identifier,
        fetch: admin.fetch,
        // It is no API: nobody should wait for its receipt.
        cutoffs: { receipts: false },
        // The machine has a bearer token of an API that may want more: what counts is whether it is cut off.
        senderConstraint: 'none',
      }),
    })),
  );
  const close = async (): Promise<void> => {
    await Promise.all(watched.map(({ verifier }) => verifier.close()));
  };
  const isRefused = async ({ token, verifier }: (typeof watched)[number]): Promise<boolean> => {
    const result = await verifier.verify(token);
    return !result.ok && result.reason === 'cut_off';
  };
  try {
    for (const { token, verifier } of watched) {
      await verifier.ready();
      const result = await verifier.verify(token);
      if (!result.ok) throw new CommandFailure('failure', `Its token is not good: ${result.reason}.`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    untilRefused: (begin) =>
      until(begin, giveUpAfterMs, LOOK_AT_TOKEN_EVERY_MS, async () =>
        (await Promise.all(watched.map(isRefused))).every(Boolean),
      ),
    untilNoTokens: (begin) =>
      until(begin, giveUpAfterMs, LOOK_AT_RECEIPTS_EVERY_MS, () =>
        tokenFor(plan.apis[0]?.identifier ?? '').then(
          () => false,
          () => true,
        ),
      ),
    close,
  };
}

async function untilConfirmed(client: AdminClient, id: string, settings: DrillSettings): Promise<void> {
  let report: CutoffReport | undefined;
  await until(performance.now(), settings.giveUpAfterMs, LOOK_AT_RECEIPTS_EVERY_MS, async () => {
    report = (await client.call('cutoffs.get', { params: { id } })).body;
    return report.all_confirmed;
  });
}

async function until(
  begin: number,
  giveUpAfterMs: number,
  everyMs: number,
  holds: () => Promise<boolean>,
): Promise<number | null> {
  for (;;) {
    if (await holds()) return Math.round(performance.now() - begin);
    if (performance.now() - begin > giveUpAfterMs) return null;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
