import type { ShownCertificate } from './certificates.ts';
import { type Answer, type HeaderLine, send } from './exchange.ts';
import type { SeededScene } from './scene.ts';
import { FORM, formBody, type Params } from './token-request.ts';

/** Registers a certificate for the client of a scene; gives the credential's id. */
export async function registerCertificate({ admin, machine }: SeededScene, cert: string): Promise<string> {
  const body = { type: 'self_signed_tls_client_auth', certificate: cert };
  return String((await admin.must('POST', `/identities/${machine.identityId}/credentials`, body))['id']);
}

/** Registers whose certificates, and with what name, the client of a scene has; gives the credential's id. */
export async function registerIssuer(
  { admin, machine }: SeededScene,
  material: { readonly ca: string; readonly crl?: string; readonly [field: string]: string | undefined },
): Promise<string> {
  const body = { type: 'tls_client_auth', ...material };
  return String((await admin.must('POST', `/identities/${machine.identityId}/credentials`, body))['id']);
}

export interface CertificateAsk {
  /** Shown on the connection. */
  readonly shown?: ShownCertificate | undefined;
  readonly headers?: readonly HeaderLine[];
  readonly params?: Params;
  readonly localAddress?: string;
}

/** A token request by certificate at this endpoint: a client_id and no other proof, unless the parameters say more. */
export function askByCertificate(
  url: string,
  { target, machine }: Pick<SeededScene, 'target' | 'machine'>,
  { shown, headers = [], params, localAddress }: CertificateAsk = {},
): Promise<Answer> {
  return send(url, {
    method: 'POST',
    headers: [['Content-Type', FORM], ...headers],
    body: formBody({ grant_type: 'client_credentials', client_id: machine.id, ...params }),
    ca: target.ca,
    certificate: shown,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
}
