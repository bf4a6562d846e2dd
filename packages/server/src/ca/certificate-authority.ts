import type { Signer } from '../keys/signer.ts';
import type {
  CertificateAuthorityRecord,
  CertificateAuthorityStore,
} from '../storage/certificate-authorities.ts';
import { type Certificate, certificateOf } from '../x509/certificate.ts';
import { type CertificateSigner, identifierOf } from '../x509/certificate-writer.ts';
import type { Trust } from '../x509/path-validation.ts';
import { derOf, openAuthority } from './make-authority.ts';

/** One that signs: certificates while it is active, its revocation list while it is there. */
export interface IssuingAuthority {
  readonly id: string;
  readonly state: CertificateAuthorityRecord['state'];
  readonly certificate: Certificate;
  /** PEM: what goes with a certificate of its, without the root. */
  readonly chain: string;
  /** PEM of the root. */
  readonly root: string;
  /** What certificates and lists call its key. */
  readonly keyIdentifier: Uint8Array;
  /** When it ends, or one above it does: epoch ms. */
  readonly notAfter: number;
  /** Undefined: its key is not here, and somebody else signs its list. */
  readonly signer: CertificateSigner | undefined;
}

/** The authorities of this deployment, read once and opened; read anew after each change. */
export interface CertificateAuthority {
  /** The one that issues now; undefined where none can. */
  issuer(): IssuingAuthority | undefined;
  /** Whose certificates count; the same object until that changes. Only the issuing ones: what is revoked ends there. */
  trust(): Trust;
  /** Each of its roots, PEM. */
  roots(): readonly string[];
  byId(id: string): IssuingAuthority | undefined;
  all(): readonly IssuingAuthority[];
  reload(): Promise<void>;
}

export interface CertificateAuthorityDeps {
  readonly authorities: Pick<CertificateAuthorityStore, 'live'>;
  readonly signer: Pick<Signer, 'open'>;
}

export async function createCertificateAuthority(
  deps: CertificateAuthorityDeps,
): Promise<CertificateAuthority> {
  const opened = new OpenedAuthorities(deps);
  await opened.reload();
  return opened;
}

class OpenedAuthorities implements CertificateAuthority {
  readonly #deps: CertificateAuthorityDeps;
  #issuing = new Map<string, IssuingAuthority>();
  #trust: Trust = { authorities: [], revocation: undefined };
  #roots: readonly string[] = [];
  /** Readings begun, and the latest that was taken over: one that began earlier and ends later is old news. */
  #begun = 0;
  #taken = 0;

  constructor(deps: CertificateAuthorityDeps) {
    this.#deps = deps;
  }

  async reload(): Promise<void> {
    const turn = ++this.#begun;
    const live = await this.#deps.authorities.live();
    if (turn < this.#taken) return;
    this.#taken = turn;
    const standing = live.filter(({ state }) => state === 'active' || state === 'retiring');
    const issuing = standing.filter(({ role }) => role === 'issuing').map((each) => this.#open(each));
    this.#issuing = new Map(issuing.map((each) => [each.id, each]));
    this.#trust = { authorities: issuing.map(({ certificate }) => certificate), revocation: undefined };
    const own = standing.filter(({ role }) => role === 'root').map(({ certificate }) => certificate ?? '');
    this.#roots = [...new Set([...own, ...issuing.map(({ root }) => root)])].filter((pem) => pem !== '');
  }

  #open(record: CertificateAuthorityRecord): IssuingAuthority {
    const own = record.certificate ?? '';
    const before = this.#issuing.get(record.id);
    const certificate = before?.certificate ?? certificateOf(derOf(own));
    const blocks = record.above.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
    return {
      id: record.id,
      state: record.state,
      certificate,
      chain: [own, ...blocks.slice(0, -1)].join(''),
      root: blocks.at(-1) ?? '',
      notAfter: record.notAfter ?? certificate.notAfter,
      keyIdentifier: before?.keyIdentifier ?? identifierOf(certificate.der),
      signer: record.sealedPrivateKey === undefined ? undefined : openAuthority(this.#deps.signer, record),
    };
  }

  issuer(): IssuingAuthority | undefined {
    return [...this.#issuing.values()].find(
      ({ state, signer }) => state === 'active' && signer !== undefined,
    );
  }

  trust(): Trust {
    return this.#trust;
  }

  roots(): readonly string[] {
    return this.#roots;
  }

  byId(id: string): IssuingAuthority | undefined {
    return this.#issuing.get(id);
  }

  all(): readonly IssuingAuthority[] {
    return [...this.#issuing.values()];
  }
}
