import { type BodyOf, subjectOf } from '@countersign/admin-api';
import type { CredentialMaterial } from '../../storage/credentials.ts';
import { BUILT_IN_CA } from '../../registry/certificate-rule.ts';
import { ProblemError } from './problem.ts';

type Asked = BodyOf<'credentials.rotate'>;
type Created = BodyOf<'credentials.create'>;

/** Of any type; what a type is not made of is refused where somebody gives it. */
const COMMON: readonly (keyof Asked)[] = ['overlap', 'label', 'expires_at'];
const MADE_OF: { readonly [type in CredentialMaterial['type']]?: readonly (keyof Asked)[] } = {
  client_secret: [],
  api_key: [],
  private_key_jwt: ['jwk', 'jwks_uri', 'allow_token_endpoint_audience', 'allow_rs256'],
  tls_client_auth: ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email', 'ca', 'crl'],
  self_signed_tls_client_auth: ['certificate'],
};

/**
 * The successor as a body that would create it: of the same type, with the same limits. Throws `validation_failed` for what is
 * missing or does not belong to the type.
 */
export function successorBody(old: CredentialMaterial, asked: Asked): Created {
  const own = MADE_OF[old.type];
  if (own === undefined) {
    throw invalid('/type', `a credential of type ${old.type} has nothing to rotate: others hold its keys`);
  }
  for (const member of Object.keys(asked) as (keyof Asked)[]) {
    if (asked[member] === undefined || COMMON.includes(member) || own.includes(member)) continue;
    throw invalid(`/${member}`, `a credential of type ${old.type} has no ${member}`);
  }
  const common = { label: asked.label, expires_at: asked.expires_at };
  switch (old.type) {
    case 'client_secret':
      return { type: 'client_secret', ...common };
    case 'api_key': {
      const { resourceServerId: resource_server, scopes } = old;
      return {
        type: 'api_key',
        ...common,
        resource_server,
        scopes: scopes === undefined ? undefined : [...scopes],
      };
    }
    case 'private_key_jwt': {
      const { jwk, jwks_uri } = asked;
      if ((jwk === undefined) === (jwks_uri === undefined))
        throw invalid('/jwk', 'needs either jwk or jwks_uri');
      return {
        type: 'private_key_jwt',
        ...common,
        jwk,
        jwks_uri,
        allow_token_endpoint_audience: asked.allow_token_endpoint_audience ?? old.allowTokenEndpointAudience,
        allow_rs256: asked.allow_rs256 ?? old.allowRs256 ?? false,
      };
    }
    case 'tls_client_auth': {
      const fields = (['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'] as const).filter(
        (field) => asked[field] !== undefined,
      );
      // Whom its certificates name, the identity says.
      if (fields.length === 0 && old.ca === BUILT_IN_CA && (asked.ca ?? asked.crl) === undefined) {
        return { type: 'tls_client_auth', ...common, san_uri: old.value, ca: BUILT_IN_CA };
      }
      if (fields.length !== 1) throw invalid('/subject_dn', 'needs exactly one of the five names');
      const { field, value } = subjectOf(asked);
      return {
        type: 'tls_client_auth',
        ...common,
        [field]: value,
        ca: asked.ca ?? old.ca,
        crl: asked.crl ?? old.crl,
      };
    }
    case 'self_signed_tls_client_auth': {
      const { certificate } = asked;
      if (certificate === undefined) throw invalid('/certificate', 'needs the new certificate');
      return { type: 'self_signed_tls_client_auth', ...common, certificate };
    }
    case 'federated':
    case 'spiffe':
      throw new TypeError('what has nothing to rotate was refused above');
  }
}

function invalid(pointer: string, detail: string): ProblemError {
  return new ProblemError('validation_failed', { errors: [{ pointer, detail }] });
}
