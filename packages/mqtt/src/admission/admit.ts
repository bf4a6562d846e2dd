// Whether a client gets in, and as whom: token or certificate → rights → name → Will → a place. RFC 9431 §2.2, §3. Asked by the gateway
// and by a broker's hooks alike, so that there is one answer.
import { certificateCredential, type Verifier, type Watched } from '@countersign/resource-server';
import { belongsTo, identityOf } from '../topics/client-id.ts';
import { Rights } from '../topics/rights.ts';
import type { Places } from './places.ts';
import type { Reason } from './reasons.ts';

export interface AdmitDeps {
  readonly verifier: Pick<Verifier, 'watch'>;
  readonly places: Places;
  /** Whether a certificate may stand in the place of a token. */
  readonly certificates: boolean;
}

/** What a CONNECT says. */
export interface Arriving {
  readonly token: string | undefined;
  /** DER of what the client showed in its TLS handshake, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Empty where it leaves its name to the server. */
  readonly clientId: string;
  readonly willTopic: string | undefined;
}

export interface Admitted {
  readonly ok: true;
  readonly identity: string;
  readonly rights: Rights;
  readonly watched: Watched;
  /** To be called once, when the connection has ended. */
  leave(): void;
}

/** For logs. What the client is told: `answerTo`. */
export interface Refused {
  readonly ok: false;
  readonly reason: Reason;
  readonly detail?: string | undefined;
}

export async function admit(
  { verifier, places, certificates }: AdmitDeps,
  arriving: Arriving,
): Promise<Admitted | Refused> {
  const { chain } = arriving;
  const token = arriving.token ?? (certificates ? certificateFor(arriving) : undefined);
  const watched = await verifier.watch(token, { certificate: chain[0] });
  if (!watched.ok) return watched;
  const identity = watched.claims.client_id;
  const rights = new Rights(watched.scopes, identity);
  const reason = whyNot(arriving, rights, identity);
  if (reason !== undefined || !places.take(identity)) {
    watched.stop();
    return { ok: false, reason: reason ?? 'too_many_connections' };
  }
  return {
    ok: true,
    identity,
    rights,
    watched,
    leave() {
      watched.stop();
      places.leave(identity);
    },
  };
}

/** What the authority is asked about where there is no token: the name says whose the certificate shall be. */
function certificateFor({ clientId, chain }: Arriving): string | undefined {
  if (clientId === '' || chain.length === 0) return undefined;
  return certificateCredential({ clientId: identityOf(clientId), chain });
}

/** What a genuine token is not enough for. */
function whyNot({ clientId, willTopic }: Arriving, rights: Rights, identity: string): Reason | undefined {
  if (rights.none) return 'no_topics';
  if (clientId !== '' && !belongsTo(clientId, identity)) return 'client_id_of_another';
  if (willTopic !== undefined && rights.toPublish(willTopic) === undefined) return 'will_not_allowed';
  return undefined;
}
