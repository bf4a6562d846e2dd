import type { Storage } from '../../storage/storage.ts';

/** Ids of identities that changed since they were taken, on whatever node; bounded, as in an import of everything. */
export class ChangedIdentities {
  static readonly MOST = 10_000;
  #ids = new Set<string>();
  #policies = false;

  constructor(storage: Pick<Storage, 'onChange'>) {
    storage.onChange((change) => {
      // Whom a policy is about is not known before everybody was looked at.
      if (change.kind === 'policies') this.#policies = true;
      if (change.kind === 'identity' && this.#ids.size < ChangedIdentities.MOST)
        this.#ids.add(change.identityId);
    });
  }

  get overflown(): boolean {
    return this.#policies || this.#ids.size >= ChangedIdentities.MOST;
  }

  take(): ReadonlySet<string> {
    const taken = this.#ids;
    this.#policies = false;
    this.#ids = new Set();
    return taken;
  }
}
