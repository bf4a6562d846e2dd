import type { FlagParametersForType } from '@stricli/core';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';

export type AuthorityFlags = Pick<ConnectionFlags, 'issuer' | 'caFile' | 'readyFile'>;

/** Which authority, and as whom: the same on every command that talks to one. */
export const connectionFlags: FlagParametersForType<ConnectionFlags, CliContext> = {
  issuer: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'url',
    brief: 'Authority to talk to [COUNTERSIGN_ISSUER, else the ready file]',
  },
  caFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'PEM file of the CA to trust, in place of the usual ones [COUNTERSIGN_CA_FILE]',
  },
  clientId: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'id',
    brief: 'Identity to act as [COUNTERSIGN_CLIENT_ID, else the admin of the ready file]',
  },
  clientSecretFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Its secret; - reads stdin [COUNTERSIGN_CLIENT_SECRET_FILE, COUNTERSIGN_CLIENT_SECRET]',
  },
  privateKeyFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Its private key in place of a secret: PEM or JWK [COUNTERSIGN_PRIVATE_KEY_FILE]',
  },
  readyFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Ready file of the authority [COUNTERSIGN_READY_FILE, else ./.countersign/ready.json]',
  },
};

/** Which authority: where the command itself is about as whom. */
export const authorityFlags: FlagParametersForType<AuthorityFlags, CliContext> = {
  issuer: connectionFlags.issuer,
  caFile: connectionFlags.caFile,
  readyFile: connectionFlags.readyFile,
};
