import { describe, expect, test } from 'vitest';
import { killUnderLoad, type ChaosReport } from './load/chaos.ts';
import { scratchDatabase } from './load/postgres.ts';
import { mayStartServers } from './wire/target.ts';

function say(backend: string, report: ChaosReport): void {
  console.log(
    `${backend}: ${report.kills} kills, ${report.tokens} tokens and ${report.changes} changes received, none lost; ` +
      `slowest restart ${report.slowestRestartMs} ms`,
  );
}

/** Promise 6 on both backends, with so many kills. */
export function describeChaos(kills: number, withinMs: number): void {
  describe.runIf(mayStartServers())('kill -9 under load (needs the countersign command)', () => {
    test(
      `SQLite, ${kills} kills: every received token has its event, nothing is half written, the database is whole`,
      async () => {
        const report = await killUnderLoad({ kills });
        say('SQLite', report);
        expect(report.tokens).toBeGreaterThan(kills * 20);
        expect(report.changes).toBeGreaterThan(0);
      },
      withinMs,
    );

    test(
      `PostgreSQL, ${kills} kills: every received token has its event, nothing is half written`,
      async (context) => {
        const database = await scratchDatabase(context);
        try {
          const report = await killUnderLoad({ kills, database: database.url });
          say('PostgreSQL', report);
          expect(report.tokens).toBeGreaterThan(kills * 20);
        } finally {
          await database.drop();
        }
      },
      withinMs,
    );
  });
}
