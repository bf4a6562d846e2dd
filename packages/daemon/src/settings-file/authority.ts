// Which authority is believed, and who this process is to it: RFC 8414 §2.
import { parseClientId, parseIssuer } from '@countersign/protocol';
import type { CutoffOptions } from '@countersign/resource-server';
import type { ConfiguredFile, ConfiguredFiles } from './configured-file.ts';
import type { YamlValue } from './yaml-reader.ts';

export interface AuthorityConfig {
  readonly issuer: string;
  /** PEM: whose certificate the authority shows. */
  readonly ca: ConfiguredFile | undefined;
  readonly cutoffs: false | CutoffOptions;
  /** Who this process is to the authority; needed for the two below, and proves its receipts of cut-offs. */
  readonly client: { readonly id: string; readonly secretFile: ConfiguredFile } | undefined;
  /** Whether the authority is asked about opaque tokens. */
  readonly opaqueTokens: boolean;
  /** Whether the authority is told what is used. */
  readonly usage: boolean;
}

export const AUTHORITY_MEMBERS = ['issuer', 'ca', 'cutoffs', 'client', 'opaqueTokens', 'usage'] as const;

type Given = { readonly [name in keyof AuthorityConfig]?: YamlValue };

/** @throws ConfigFault */
export function readAuthority(top: YamlValue, given: Given, files: ConfiguredFiles): AuthorityConfig {
  if (given.issuer === undefined) throw top.fault('issuer is missing');
  return {
    issuer: readIssuer(given.issuer),
    ca: given.ca && files.certificates(given.ca),
    cutoffs: readCutoffs(given.cutoffs),
    ...readClient(given, files),
  };
}

function readIssuer(value: YamlValue): string {
  const issuer = parseIssuer(value.string());
  if (issuer === undefined) throw value.fault('write the https URL of the authority (http only on loopback)');
  return issuer;
}

/** What happens while the feed of cut-offs is silent. */
function readCutoffs(value: YamlValue | undefined): AuthorityConfig['cutoffs'] {
  if (value === undefined) return { staleAfter: 10, onStale: 'refuse' };
  if (!value.isMapping()) {
    if (value.boolean()) throw value.fault('write false, or staleAfter and onStale');
    return false;
  }
  const { staleAfter, onStale } = value.members(['staleAfter', 'onStale']);
  return {
    staleAfter: staleAfter?.integer(2, 3600) ?? 10,
    onStale: onStale === undefined ? 'refuse' : readOnStale(onStale),
  };
}

function readOnStale(value: YamlValue): 'refuse' | { readonly acceptYoungerThan: number } {
  if (!value.isMapping()) return value.oneOf(['refuse'] as const);
  const { acceptYoungerThan } = value.members(['acceptYoungerThan']);
  if (acceptYoungerThan === undefined) throw value.fault('write refuse, or acceptYoungerThan: seconds');
  return { acceptYoungerThan: acceptYoungerThan.integer(1, 86_400) };
}

function readClient(
  given: Given,
  files: ConfiguredFiles,
): Pick<AuthorityConfig, 'client' | 'opaqueTokens' | 'usage'> {
  const client = given.client && readIdentity(given.client, files);
  for (const name of ['opaqueTokens', 'usage'] as const) {
    const value = given[name];
    if (value?.boolean() === true && client === undefined)
      throw value.fault('needs client: who asks and tells');
  }
  return {
    client,
    opaqueTokens: given.opaqueTokens?.boolean() ?? false,
    usage: given.usage?.boolean() ?? false,
  };
}

function readIdentity(value: YamlValue, files: ConfiguredFiles): AuthorityConfig['client'] {
  const { id, secretFile } = value.members(['id', 'secretFile']);
  if (id === undefined || secretFile === undefined) throw value.fault('write id and secretFile');
  const clientId = parseClientId(id.string());
  if (clientId === undefined) throw id.fault('takes A-Z a-z 0-9 _ - and at most 128 of them');
  return { id: clientId, secretFile: files.secret(secretFile, problemOfSecret) };
}

/** RFC 6749 appendix A.2. */
function problemOfSecret(secret: string): string | undefined {
  return /^[\x20-\x7e]+$/.test(secret) ? undefined : 'holds more than a secret; a second line perhaps';
}
