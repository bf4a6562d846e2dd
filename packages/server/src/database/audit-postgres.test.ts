import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditSink, AuditUnavailable } from '../audit/sink.ts';
import { openPostgresAuditSink } from './audit-postgres.ts';
import { auditEvent, auditSinkContract, logged } from './audit-sink-contract.ts';
import { openPostgresStorage } from './postgres.ts';
import { testDatabases } from './test-databases.ts';

const server = process.env['COUNTERSIGN_TEST_POSTGRES'];

describe.skipIf(server === undefined)('the audit log on PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  const databases = testDatabases(server ?? '');
  afterAll(() => databases.dropAll());

  async function emptyLog(): Promise<string> {
    const url = await databases.create();
    await (await openPostgresStorage({ url })).close();
    return url;
  }

  auditSinkContract('PostgreSQL', async () => openPostgresAuditSink({ url: await emptyLog() }));

  describe('shared by two nodes', () => {
    let url: string;
    let nodes: AuditSink[];
    const everything = async (): Promise<unknown[]> =>
      (await (nodes[0] as AuditSink).find({}, { afterSeq: 0, limit: 1000 })) as unknown[];
    const cutConnections = (): Promise<unknown> =>
      databases.run(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'countersign audit'`,
        url,
      );
    beforeAll(async () => {
      url = await emptyLog();
      nodes = [openPostgresAuditSink({ url }), openPostgresAuditSink({ url })];
    });
    afterAll(async () => {
      for (const node of nodes) await node.close();
    });

    it('numbers the batches of both without a gap or a double', async () => {
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (nodes[index % 2] as AuditSink).commit([auditEvent(), auditEvent()]),
        ),
      );
      const found = (await everything()) as { seq: number }[];
      expect(found.map((event) => event.seq)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    });

    it('passes over events that it has, and logs the rest of their batch', async () => {
      const before = (await everything()).length;
      const old = auditEvent();
      const fresh = auditEvent();
      await nodes[0]?.commit([old]);
      await nodes[1]?.commit([old, fresh, fresh]);
      await nodes[1]?.commit([old]);
      expect((await everything()).slice(before)).toEqual([
        logged(old, before + 1),
        logged(fresh, before + 2),
      ]);
    });

    it('rejects while the database cannot be reached and goes on by itself', async () => {
      const before = (await everything()).length;
      const batch = [auditEvent()];
      await cutConnections();
      await expect
        .poll(
          () =>
            nodes[0]?.commit(batch).then(
              () => 'committed',
              (error: unknown) => (error as Error).name,
            ),
          { timeout: 5000 },
        )
        .toBe('committed');
      expect((await everything()).slice(before)).toEqual([logged(batch[0] as never, before + 1)]);
    });

    it('logs a batch once whose commit was cut off before the answer', async (context) => {
      const before = (await everything()).length;
      const batches: ReturnType<typeof auditEvent>[][] = [];
      let refused = 0;
      // No batch for ever: where others keep the processor, a connection is not made before the next cut.
      let cuts = { batch: 0, count: 0 };
      const cutting = setInterval(() => {
        if (cuts.batch !== batches.length) cuts = { batch: batches.length, count: 0 };
        if (cuts.count++ < 5) void cutConnections();
      }, 15);
      context.onTestFinished(() => clearInterval(cutting));
      // Until a cut has met a commit, which a quick database may be done with between two of them.
      while (batches.length < 60 || (refused === 0 && batches.length < 5000)) {
        const batch = [auditEvent(), auditEvent()];
        batches.push(batch);
        for (;;) {
          try {
            await nodes[0]?.commit(batch);
            break;
          } catch (error) {
            expect(error).toBeInstanceOf(AuditUnavailable);
            refused++;
            // A refusal may come at once; trying again in the same turn would keep the connection from coming back.
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        }
      }
      clearInterval(cutting);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const found = (await everything()).slice(before) as { id: string; seq: number }[];
      expect(found.map((event) => event.id)).toEqual(batches.flat().map((event) => event.id));
      expect(found.map((event) => event.seq)).toEqual(found.map((_, index) => before + index + 1));
      expect(refused).toBeGreaterThan(0);
    });

    it('leaves nothing of a batch that fails', async () => {
      const before = await everything();
      await databases.run("ALTER TABLE audit_events ADD CONSTRAINT no_forgery CHECK (type <> 'forged')", url);
      const batch = [auditEvent(), auditEvent({ type: 'forged' })];
      await expect(nodes[0]?.commit(batch)).rejects.toThrow(AuditUnavailable);
      expect(await everything()).toEqual(before);
      await nodes[0]?.commit([auditEvent()]);
      expect((await everything()).length).toBe(before.length + 1);
    });
  });

  it('refuses what nobody answers for', async () => {
    const nowhere = openPostgresAuditSink({ url: 'postgres://nobody@127.0.0.1:9/none' });
    await expect(nowhere.commit([auditEvent()])).rejects.toThrow(AuditUnavailable);
    await expect(nowhere.find({}, { afterSeq: 0, limit: 1 })).rejects.toMatchObject({ fault: 'unavailable' });
    await nowhere.close();
    await expect(nowhere.commit([auditEvent()])).rejects.toThrow(AuditUnavailable);
  });
});
