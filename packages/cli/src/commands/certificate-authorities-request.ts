import { resolve } from 'node:path';
import { AUTHORITY_ALGORITHMS, type CertificateAuthority } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { replaceFile } from '../certificate/certificate-files.ts';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  outputAliases,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { mayProceed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';

interface Flags extends ConnectionFlags, OutputFlags, WriteFlags {
  readonly alg: (typeof AUTHORITY_ALGORITHMS)[number];
  readonly requestFile?: string | undefined;
}

/** The key is made where the authority's keys are, and stays there; what comes out is for whoever keeps a root. */
export const certificateAuthoritiesRequest: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    await withAdmin(host, flags, async (admin) => {
      const input = { body: { alg: flags.alg } };
      const consent = { ...flags, yes: true };
      if (!(await mayProceed(this, admin, 'certificate-authorities.request', input, consent))) return;
      const { body } = await admin.table.call('certificate-authorities.request', input);
      const made = body as CertificateAuthority;
      if (flags.requestFile !== undefined && made.request !== null) {
        replaceFile(resolve(host.cwd, flags.requestFile), made.request, 0o644);
        say(host, `Its request is in ${flags.requestFile}: have it signed, then`);
        say(host, `countersign certificate-authorities certify ${made.id} --cert-file FILE`);
      }
      await printObject(host, flags.output, made, (item) => item.id);
    });
  },
  parameters: {
    flags: {
      alg: {
        kind: 'enum',
        values: [...AUTHORITY_ALGORITHMS],
        default: 'ES256',
        brief: 'ES256 is P-256, ES384 is P-384',
      },
      requestFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'file',
        brief: 'Where the request goes, PEM',
      },
      ...writeFlags,
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Make the key of an issuing authority, and the request that the holder of a root signs',
    customUsage: ['--request-file issuing.csr', '--alg ES384 -o json'],
  },
});
