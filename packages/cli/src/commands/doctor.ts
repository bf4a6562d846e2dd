import { buildCommand, type Command } from '@stricli/core';
import { type AdminConnection, fetchFor, openAdmin } from '../connection/admin.ts';
import { type AuthorityAddress, type ConnectionFlags, resolveAuthority } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { type Finding, fail, ok, skip } from '../doctor/check.ts';
import { EXIT_CODES, failureOf } from '../exit-code.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import type { Host } from '../host.ts';
import { printList } from '../output/formats.ts';
import { painter } from '../output/style.ts';
import { padTo } from '../output/text-width.ts';
import { visible } from '../output/visible-text.ts';

type Flags = OutputFlags & ConnectionFlags;

const LATER = ['reachable', 'tls', 'clock', 'issuer', 'keys', 'ready', 'credential', 'ending soon'] as const;

export const doctor: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const findings = await examine(this.host, flags);
    await report(this.host, flags.output, findings);
    if (findings.some(({ status }) => status === 'fail')) this.setExitCode(EXIT_CODES.failure);
  },
  parameters: { flags: { ...outputFlags, ...connectionFlags }, aliases: outputAliases },
  docs: {
    brief: 'Check that everything between here and the authority works; each problem with its fix',
    customUsage: [
      '',
      '--issuer https://authority.example --client-id ops --client-secret-file ops.secret',
      '-o json',
    ],
  },
});

/** From the near to the far; what depends on a broken part is skipped, not guessed at. */
async function examine(host: Host, flags: Flags): Promise<readonly Finding[]> {
  const checks = await import('../doctor/authority-checks.ts');
  const findings: Finding[] = [checks.checkNode(host.nodeVersion)];
  let authority: AuthorityAddress;
  let reach: import('../doctor/authority-checks.ts').Reach;
  try {
    authority = resolveAuthority(host, flags);
    reach = { authority, fetch: fetchFor(host, authority), now: host.now };
  } catch (error) {
    const failure = failureOf(error);
    return withSkipped([...findings, fail('settings', failure.message, failure.fix)]);
  }
  findings.push(ok('settings', `${authority.issuer}, from ${authority.from}`));
  findings.push(...(await checks.checkReach(reach)));
  if (findings.at(-1)?.check === 'reachable') return withSkipped(findings);
  const { finding, metadata } = await checks.checkMetadata(reach);
  findings.push(finding);
  if (metadata !== undefined) findings.push(await checks.checkJwks(reach, metadata));
  findings.push(...(await checks.checkReadiness(reach)));
  findings.push(...(await examineAsAdmin(host, flags)));
  return withSkipped(findings);
}

async function examineAsAdmin(host: Host, flags: Flags): Promise<readonly Finding[]> {
  const checks = await import('../doctor/admin-checks.ts');
  let admin: AdminConnection;
  try {
    admin = await openAdmin(host, flags);
  } catch (error) {
    const failure = failureOf(error);
    return [fail('credential', failure.message, failure.fix)];
  }
  try {
    const own = await checks.checkOwnCredential(admin.client, admin.clientId, host.now());
    if (own.some(({ status }) => status === 'fail')) return own;
    return [...own, await checks.checkEndingSoon(admin.client, host.now())];
  } finally {
    await admin.close();
  }
}

function withSkipped(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set(findings.map(({ check }) => check));
  const missing = LATER.filter((check) => !seen.has(check));
  return [...findings, ...missing.map((check) => skip(check, 'not looked at, because of the above'))];
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;

async function report(
  host: Host,
  output: OutputFlags['output'],
  findings: readonly Finding[],
): Promise<void> {
  if (output !== 'table') {
    return printList(host, output, findings, {
      columns: [],
      name: ({ check, status }) => `${check} ${status}`,
    });
  }
  const paint = painter(host.stdout, host.env);
  for (const { check, status, detail, fix } of findings) {
    host.stdout.write(
      `${paint(COLOURS[status], padTo(status, 4))}  ${padTo(check, 11)}  ${visible(detail)}\n`,
    );
    if (fix !== undefined) host.stdout.write(`                   fix: ${visible(fix)}\n`);
  }
}
