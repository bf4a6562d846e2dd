import type { Finding } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';

export const findings: RouteMap<CliContext> = buildNoun<Finding>(
  {
    name: 'findings',
    brief: 'What is wrong with machines, why, and the command that makes it right',
    argument: 'FINDING',
    get: 'findings.get',
    none: 'There are no such findings.',
    presentation: {
      name: (finding) => finding.id,
      columns: [
        { header: 'ID', value: (finding) => finding.id },
        { header: 'SEVERITY', value: (finding) => finding.severity },
        { header: 'KIND', value: (finding) => finding.kind },
        { header: 'IDENTITY', value: (finding) => finding.client_id },
        { header: 'STATE', value: (finding) => finding.state },
        { header: 'REASON', value: (finding) => finding.reason },
        { header: 'FIX', value: (finding) => finding.fix },
      ],
    },
  },
  {
    list: {
      operation: 'findings.list',
      examples: ['--state open', '--identity payments', '--severity high --all -o json'],
      overrides: {
        identity: { brief: 'About this one: id, client_id or name' },
        subject: { brief: 'About this credential or access' },
        kind: { brief: 'Of this kind' },
        severity: { brief: 'Of this severity' },
        state: { brief: 'In this state' },
      },
    },
    get: { operation: 'findings.get', examples: ['fnd_0123456789abcdefghij'] },
    accept: {
      operation: 'findings.accept',
      examples: ['fnd_0123456789abcdefghij --reason "moves to keys in May" --until 60d'],
      overrides: {
        reason: { brief: 'Why it may stay; it stays in the audit log' },
        until: { brief: 'Until when', span: 'ahead' },
      },
      done: 'Accepted',
    },
    reopen: {
      operation: 'findings.reopen',
      examples: ['fnd_0123456789abcdefghij'],
      overrides: { reason: { brief: 'Why; it stays in the audit log' } },
      done: 'Reopened',
    },
  },
);
