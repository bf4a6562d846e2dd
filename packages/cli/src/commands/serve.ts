import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { type ServingFlags, servingFlags } from '../serving/flags.ts';
import { runAuthority } from '../serving/run-authority.ts';

export const serve: Command<CliContext> = buildCommand<Omit<ServingFlags, 'http'>, [], CliContext>({
  func(flags) {
    return runAuthority(this, 'serve', flags, () => import('@countersign/server/main'));
  },
  parameters: { flags: servingFlags },
  docs: {
    brief: 'Run the authority in production; unsafe settings are refused',
    customUsage: [
      '--issuer https://authority.example --tls-cert chain.pem --tls-key key.pem --master-key-file master.key',
      '--config /etc/countersign.yaml --ready-file /run/countersign/ready.json',
    ],
  },
});
